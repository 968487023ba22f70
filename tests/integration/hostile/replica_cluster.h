// One cluster that Mallard runs, of three replicas as real processes, each held to its memory, and the
// clients that it knows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.h"
#include "config/pairing.h"
#include "crypto/key_pair.h"
#include "tests/integration/deployment/child_process.h"
#include "tests/integration/deployment/memory_group.h"
#include "tests/integration/deployment/scratch_folder.h"
#include "transport/door/door_client.h"

namespace mallard::integration {

class ReplicaCluster {
 public:
  static constexpr std::uint16_t replicas = 3;

  // Makes all files; starts nothing. Client i has prefixes[i] and the key client(i). Throws
  // std::runtime_error.
  explicit ReplicaCluster(const std::vector<std::string>& prefixes);

  // Founds the cluster, each replica in a group with room for `memory_bytes`. False when they are not ready
  // within `limit`.
  [[nodiscard]] bool start(std::uint64_t memory_bytes, Duration limit);
  // Who says that it leads.
  [[nodiscard]] std::optional<std::size_t> leader() const;

  [[nodiscard]] const crypto::KeyPair& client(std::size_t number) const { return clients_[number]; }
  // Where a client with this key finds the replicas; the key outlives what is returned.
  [[nodiscard]] std::vector<transport::door::RemoteDoor> doors(const crypto::KeyPair& key) const;
  [[nodiscard]] std::uint16_t clients_port(std::size_t replica) const;

  [[nodiscard]] std::string page(std::size_t replica, const std::string& path) const;
  [[nodiscard]] double metric(std::size_t replica, const std::string& name,
                              const std::string& label = "") const;
  [[nodiscard]] ChildProcess& process(std::size_t replica) { return *processes_[replica]; }
  // Processes that were ended for want of memory; nothing where there are no groups.
  [[nodiscard]] std::optional<std::uint64_t> kills() const;
  [[nodiscard]] std::string last_words(std::size_t replica) const;

 private:
  [[nodiscard]] std::string directory(std::size_t replica) const;
  [[nodiscard]] bool is_ready() const;

  ScratchFolder folder_{"clients"};
  config::Pairing pairing_;
  std::vector<crypto::KeyPair> clients_;
  std::vector<MemoryGroup> groups_;  // go after the processes in them
  std::array<std::optional<ChildProcess>, replicas> processes_;
};

}  // namespace mallard::integration
