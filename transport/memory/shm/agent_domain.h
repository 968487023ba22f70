// Memory that an agent serves: one thread per domain takes the works of all peers from their rings, checks
// rights, bounds and grants, and carries them out one after another, as a NIC does. So a grant is taken back
// in place, and compare-swap is atomic, because there is one thread. It stops when its process is stopped:
// where memory must be served on, it belongs to a process of its own, a memory node.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "transport/memory/shm/rendezvous.h"
#include "transport/memory/shm/shared_memory.h"
#include "transport/memory/shm/shm_settings.h"
#include "transport/memory/shm/work_ring.h"

namespace mallard::memory {

class AgentDomain final : public Domain {
 public:
  // With its agent running.
  [[nodiscard]] static Result<std::unique_ptr<AgentDomain>, ShmError> create(const ShmSettings& settings);
  ~AgentDomain() override;
  AgentDomain(const AgentDomain&) = delete;
  AgentDomain& operator=(const AgentDomain&) = delete;

  // For each process: its ring, the page that says whether the agent sleeps, and the bell that wakes it.
  [[nodiscard]] Rendezvous::Offers offers() const;

  [[nodiscard]] ByteSpan bytes(RegionIndex region) override;
  void regrant(RegionIndex region, ProcessIndex writer, LiveRange live) override;
  [[nodiscard]] GrantNumber granted(RegionIndex region) override;

 private:
  struct Region {
    std::vector<std::uint64_t> words;
    std::atomic<std::uint64_t> wanted = 0;  // grant, by the owner's thread
    std::atomic<std::uint64_t> given = 0;   // the agent's answer
    std::uint64_t sequence = 0;             // the owner's
  };
  // The agent's own account of one peer; nothing of it is in shared memory.
  struct Peer {
    SharedMemory memory;
    WorkRing ring;
    std::uint64_t incarnation = 0;
    std::uint64_t next = 1;
    bool broken = false;
  };

  explicit AgentDomain(const ShmSettings& settings);
  Result<void, ShmError> build();
  void serve();
  // Whether there was anything to do.
  bool serve_grants();
  bool serve_peer(ProcessIndex process);
  [[nodiscard]] bool has_work() const;
  void sleep();
  [[nodiscard]] RingOutcome carry_out(ProcessIndex process, const RingWork& work);
  [[nodiscard]] bool is_allowed(ProcessIndex process, const RingWork& work) const;
  [[nodiscard]] ByteSpan span_of(RegionIndex region);

  const ShmSettings settings_;
  std::unique_ptr<Region[]> regions_;
  std::vector<Peer> peers_;
  SharedMemory page_;  // word 0: 1 while the agent sleeps
  FileDescriptor page_read_only_;
  FileDescriptor bell_;  // eventfd
  std::atomic<bool> stop_ = false;
  std::thread agent_;
};

// Wakes an agent that sleeps, cheap if it does not. `page` and `bell` are a domain's.
void wake_agent(ByteView page, int bell);

}  // namespace mallard::memory
