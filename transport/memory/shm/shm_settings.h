// What a process must know to share memory with others on its host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/base/result.h"
#include "config/contract/one_sided.h"
#include "transport/memory/shm/shared_memory.h"

namespace mallard::memory {

enum class ShmMode : std::uint8_t {
  direct,  // peers store into the owner's memory; a grant is taken back by moving the region
  agent    // a thread of the owner carries out works from rings, as a NIC would
};

// All but `self`, `memory_node` and what is marked must be the same in every process.
struct ShmSettings {
  // Where the sockets are by which processes find each other; exists, and only who may take part can enter.
  std::string folder;
  ProcessIndex self;
  std::size_t processes = 0;  // 1 to processes_max
  std::vector<RegionLayout> layout;
  ShmMode mode = ShmMode::direct;
  // The process does nothing but serve memory: it has no links of its own (contract R10, R11).
  bool memory_node = false;
  // The user that each process runs as; empty: all as this one. Rights hold against a peer's arbitrary
  // behaviour only between different users, none of them root.
  std::vector<std::uint32_t> users;
  // Works that one link may have unreported (own choice). 1 to 4096; agent: to 256.
  std::size_t queue_depth = 128;
  // direct: how many instances a granted region has beyond the one in use; each takes the region's size. One
  // is occupied for as long as a former holder that did not poll its link lives. 1 to 250; 0: processes + 1.
  std::size_t spare_instances = 0;
  // agent: bytes under way per link, and thereby the longest work or chain of works. A multiple of 64, at
  // least 4096.
  std::size_t ring_bytes = 256U << 10;
  // agent: how often it looks at idle rings before it sleeps (own choice).
  std::uint32_t spin_rounds = 2000;

  [[nodiscard]] std::size_t instances() const {
    return 1 + (spare_instances == 0 ? processes + 1 : spare_instances);
  }
  [[nodiscard]] std::string socket_path(ProcessIndex process) const {
    return folder + "/" + std::to_string(process.value) + ".memory";
  }
  // Whether the kernel keeps every process from the memory of every other.
  [[nodiscard]] bool separates_users() const;
  // Differs, as a rule, between settings that cannot work together.
  [[nodiscard]] std::uint64_t fingerprint() const;
  [[nodiscard]] Result<void, ShmError> check() const;
};

}  // namespace mallard::memory
