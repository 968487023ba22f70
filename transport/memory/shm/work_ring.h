// The shared memory between a poster of works and the agent that carries them out: slots for works and their
// outcomes, and bytes under way. Either side may be malicious: each believes only what it has copied and
// checked, and keeps its own place in the ring to itself.
//
//   line 0       written by the poster: the incarnation of its link
//   line 1       written by the agent: the incarnation that it serves
//   2 lines per slot: the work, written by the poster, its sequence last; the outcome, written by the agent,
//                the sequence last
//   the rest     bytes to write, and bytes read
//
// Sequences are incarnation << 32 | 1, 2, ...: those of two incarnations differ, so nothing old is taken for
// new.
#pragma once

#include <cstdint>

#include "config/contract/one_sided.h"

namespace mallard::memory {

// A work as the ring carries it.
struct RingWork {
  std::uint32_t kind = 0;
  std::uint32_t region = 0;
  std::uint64_t grant = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t payload_at = 0;  // where its bytes lie among the bytes under way
  std::uint64_t expected = 0;
  std::uint64_t desired = 0;
  friend constexpr bool operator==(const RingWork&, const RingWork&) = default;
};

struct RingOutcome {
  WorkStatus status = WorkStatus::unknown;
  std::uint64_t previous = 0;
  friend constexpr bool operator==(const RingOutcome&, const RingOutcome&) = default;
};

class WorkRing {
 public:
  static constexpr std::uint64_t slots = 256;
  [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t payload) { return head + payload; }

  WorkRing() = default;
  // `memory` is bytes_for(payload) long.
  explicit WorkRing(ByteSpan memory) : memory_(memory) {}

  [[nodiscard]] ByteSpan payload() const { return memory_.subspan(head); }
  [[nodiscard]] static constexpr std::uint64_t sequence(std::uint64_t incarnation, std::uint64_t number) {
    return incarnation << 32 | number;
  }

  // The poster's.
  void put(std::uint64_t sequence, const RingWork& work);
  [[nodiscard]] bool take_outcome(std::uint64_t sequence, RingOutcome& outcome) const;
  void begin_incarnation(std::uint64_t incarnation) { store_word(memory_, 0, incarnation); }
  [[nodiscard]] std::uint64_t served_incarnation() const { return load_word(memory_, line); }

  // The agent's.
  [[nodiscard]] bool take(std::uint64_t sequence, RingWork& work) const;
  void put_outcome(std::uint64_t sequence, RingOutcome outcome);
  [[nodiscard]] std::uint64_t wanted_incarnation() const { return load_word(memory_, 0); }
  void serve_incarnation(std::uint64_t incarnation) { store_word(memory_, line, incarnation); }

 private:
  static constexpr std::size_t line = 64;
  static constexpr std::size_t slot_bytes = 2 * line;
  static constexpr std::size_t head = 2 * line + slots * slot_bytes;
  [[nodiscard]] static std::size_t slot_at(std::uint64_t sequence) {
    return 2 * line + (sequence & 0xffffffff) % slots * slot_bytes;
  }

  ByteSpan memory_;
};

}  // namespace mallard::memory
