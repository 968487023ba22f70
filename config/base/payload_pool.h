// Where the bytes of payloads live: one arena allocated at start, cut into slots of any size, each with a
// count of its owners. A payload is written once, into its slot, and passed around as a PayloadRef from then
// on.
//
// Buddy allocation (Knuth, The Art of Computer Programming 1, 2.5): free space is kept as aligned blocks of
// 2^i units of 256 bytes. A slot is the front of a block; what the payload does not need of the block's end
// goes back at once, in units, so a slot wastes less than one unit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/payload_ref.h"

namespace mallard {

// Not thread-safe: one thread owns a pool. Nothing is allocated after construction.
// The empty reference PayloadRef{} stands for "no bytes": viewing it gives an empty span, retaining and
// releasing it do nothing. Every other reference must come from allocate() of the same pool and have an owner
// left; a reference to fewer bytes of the same slot (same slot, smaller `bytes`) is good too. Anything else
// is our bug and aborts.
class PayloadPool {
 public:
  static constexpr std::size_t unit_bytes = 256;
  static constexpr std::size_t slot_bytes_max = 2U << 20;  // a batch of 1 MiB with its proof fits

  // `capacity` in bytes is rounded up to whole units; at least slot_bytes_max, below 1 TiB. The arena's pages
  // are not touched before they are used.
  explicit PayloadPool(std::size_t capacity);

  // A slot of `bytes` bytes with one owner, its bytes undefined. Empty when no free block is large enough,
  // which is back-pressure and not an error, or when `bytes` exceeds slot_bytes_max. Zero bytes give the
  // empty reference.
  [[nodiscard]] std::optional<PayloadRef> allocate(std::size_t bytes);

  [[nodiscard]] ByteView view(PayloadRef ref) const;
  // For who fills the slot, before the reference is shared.
  [[nodiscard]] ByteSpan span(PayloadRef ref);

  void retain(PayloadRef ref);
  // The last owner's release frees the slot.
  void release(PayloadRef ref);

  // Bytes in free units. They may be scattered: allocate() can fail for less.
  [[nodiscard]] std::size_t free_bytes() const { return free_units_ * unit_bytes; }
  [[nodiscard]] std::size_t capacity() const { return units_.size() * unit_bytes; }
  // Process memory of a pool of this capacity: the arena and 16 bytes per unit.
  [[nodiscard]] static std::size_t memory_bytes(std::size_t capacity);

 private:
  static constexpr std::size_t orders = 14;  // 256 B << 13 is slot_bytes_max
  static constexpr std::uint32_t none = UINT32_MAX;

  enum class UnitState : std::uint8_t { inside, free_block, slot };

  // One per unit; only the first unit of a free block or of a slot says something.
  struct Unit {
    std::uint32_t link = none;      // free block: next in its list; slot: owners
    std::uint32_t previous = none;  // free block: previous in its list; slot: bytes
    std::uint32_t units = 0;        // length of the free block or slot
    UnitState state = UnitState::inside;
  };

  struct ArenaDeleter {
    void operator()(std::byte* arena) const;
  };

  static std::uint32_t units_for(std::size_t bytes);
  void push_free(std::uint32_t first, std::size_t order);
  void remove_free(std::uint32_t first, std::size_t order);
  void free_range(std::uint32_t first, std::uint32_t count);
  void free_block(std::uint32_t first, std::size_t order);
  [[nodiscard]] const Unit& slot_of(PayloadRef ref) const;
  [[nodiscard]] Unit& slot_of(PayloadRef ref);

  std::unique_ptr<std::byte[], ArenaDeleter> arena_;
  std::vector<Unit> units_;
  std::array<std::uint32_t, orders> free_lists_{};
  std::size_t free_units_ = 0;
};

}  // namespace mallard
