// The owner's side of memory into which peers store by themselves. Fixed rights are the kernel's: who may not
// write has only a descriptor that cannot. A grant is taken back by relocation: the control word of the
// region is changed, a full fence, what is live is copied into another instance, and the word names that one.
// A writer that read the old word after its fence stored before ours, so its words are in the copy (Dekker);
// stores of one that was paused land in the instance left behind, which nobody reads. No step waits for a
// peer. An instance is used again when its last holder no longer shows that it is storing into it, or is
// gone.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "transport/memory/shm/grant_word.h"
#include "transport/memory/shm/rendezvous.h"
#include "transport/memory/shm/shared_memory.h"
#include "transport/memory/shm/shm_settings.h"

namespace mallard::memory {

class DirectDomain final : public Domain {
 public:
  [[nodiscard]] static Result<std::unique_ptr<DirectDomain>, ShmError> create(const ShmSettings& settings);

  // The descriptors for each process: the control words, the word in which it shows what it stores into, then
  // one for each region in which it has a right. Borrowed.
  [[nodiscard]] Rendezvous::Offers offers() const;
  // Must be called before the first regrant, and the rendezvous outlive the last.
  void watch(const Rendezvous& lives) { lives_ = &lives; }

  [[nodiscard]] ByteSpan bytes(RegionIndex region) override;
  void regrant(RegionIndex region, ProcessIndex writer, LiveRange live) override;
  [[nodiscard]] GrantNumber granted(RegionIndex region) override;

  // For the link of this process to itself, which no descriptor could give the right to write.
  [[nodiscard]] ByteView control() const { return control_.bytes(); }
  [[nodiscard]] ByteSpan notes(ProcessIndex process) const { return notes_[process.value].bytes(); }
  [[nodiscard]] ByteSpan instances(RegionIndex region) const { return regions_[region.value].memory.bytes(); }

  // Attempts to regrant that found every instance occupied.
  [[nodiscard]] std::uint64_t starved() const { return starved_; }

 private:
  struct Instance {
    bool waiting = false;  // its holder may still be storing
    GrantWord grant;
    std::uint64_t life = 0;  // of the holder, when the grant was taken back
  };
  struct Region {
    SharedMemory memory;  // all instances, one behind the other
    FileDescriptor read_only;
    std::vector<Instance> instances;
    GrantWord current;
    bool pending = false;
    ProcessIndex writer;
    LiveRange live;
  };

  explicit DirectDomain(const ShmSettings& settings) : settings_(settings) {}
  Result<void, ShmError> build();
  [[nodiscard]] ByteSpan instance(RegionIndex region, std::uint64_t index) const;
  // Index of an instance that nobody writes any more; instances() if there is none.
  [[nodiscard]] std::uint64_t free_instance(RegionIndex region);
  void relocate(RegionIndex region, std::uint64_t to);
  void copy_live(ByteSpan to, ByteView from, LiveRange live) const;

  const ShmSettings settings_;
  const Rendezvous* lives_ = nullptr;
  SharedMemory control_;
  FileDescriptor control_read_only_;
  std::vector<SharedMemory> notes_;  // by process
  std::vector<Region> regions_;
  std::uint64_t starved_ = 0;
};

// Where things stand in the control words' and in a peer's memory: one line of 64 bytes per region.
[[nodiscard]] constexpr std::uint64_t line_of(RegionIndex region) { return region.value * std::uint64_t{64}; }
inline constexpr std::size_t lines_bytes = 4096;
static_assert(lines_bytes >= regions_max * 64);

}  // namespace mallard::memory
