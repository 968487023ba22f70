// Clusters that Mallard runs, as an operator would: data directories with keys, one YAML file, `mallard
// replica` and, where there are two clusters, a link from the first to the second and `mallard gateway`
// beside each replica.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/base/ids.h"
#include "config/base/time.h"
#include "config/pairing.h"
#include "tests/integration/deployment/child_process.h"
#include "tests/integration/deployment/memory_group.h"
#include "tests/integration/deployment/scratch_folder.h"

namespace mallard::integration {

struct ReplicaClustersSettings {
  std::uint16_t clusters = 1;  // or 2
  config::Durability durability = config::Durability::disk;
  // Where the data directories are; empty: in the scratch folder.
  std::filesystem::path root = {};
  // Data directories that are elsewhere.
  std::map<ReplicaAddress, std::filesystem::path> places = {};
  std::vector<config::ClientSettings> clients = {};
  // Each replica is in a group with room for so much, where groups can be made; 0: without a limit.
  std::uint64_t memory_bytes = 0;
};

class ReplicaClusters {
 public:
  static constexpr std::uint16_t replicas = 3;  // of each cluster
  static constexpr const char* link = "east-west";

  // Makes all files; starts nothing. Throws std::runtime_error.
  explicit ReplicaClusters(ReplicaClustersSettings settings = {});

  // The replica, and its gateway where there is one. Before founded(), the cluster is being founded.
  void start(ReplicaAddress address);
  void start_all();
  // From now on a replica that starts without a log has lost it.
  void founded() { is_founding_ = false; }
  // SIGKILL to the replica and its gateway; they are gone when this returns. What was only in memory is gone
  // too.
  void kill(ReplicaAddress address);
  // As if the power of all machines went at once: every process stands still before the first one is killed.
  void kill_all();

  // Waits until each started process says that it is ready; false after `limit`, or when one has ended.
  [[nodiscard]] bool ready(Duration limit);
  [[nodiscard]] bool is_ready(ReplicaAddress address) const;
  [[nodiscard]] std::optional<std::size_t> leader(ClusterIndex cluster) const;
  // What a replica's admin port answers; empty: nothing.
  [[nodiscard]] std::string page(ReplicaAddress address, const std::string& path) const;
  [[nodiscard]] const config::ReplicaSettings& settings_of(ReplicaAddress address) const;

  [[nodiscard]] ChildProcess& replica(ReplicaAddress address) {
    return processes_.at(address).replica.value();
  }
  [[nodiscard]] ChildProcess& gateway(ReplicaAddress address) {
    return processes_.at(address).gateway.value();
  }
  // Another process of the same kind on the same directory.
  [[nodiscard]] ChildProcess second(ReplicaAddress address, const char* kind) const;

  [[nodiscard]] std::vector<ReplicaAddress> addresses() const;
  [[nodiscard]] std::filesystem::path directory(ReplicaAddress address) const;
  [[nodiscard]] std::vector<std::filesystem::path> directories(ClusterIndex cluster) const;
  // All that its replica, or its gateway, has printed in all its lives.
  [[nodiscard]] std::string said(ReplicaAddress address, const char* kind = "replica") const;
  // Processes that were ended for want of memory; nothing where not all have a limit.
  [[nodiscard]] std::optional<std::uint64_t> kills() const;
  // The end of what every process has printed that has ended, for a failed test's message.
  [[nodiscard]] std::string last_words();

 private:
  struct Seat {
    std::optional<ChildProcess> replica;
    std::optional<ChildProcess> gateway;
  };

  [[nodiscard]] std::vector<std::string> command(ReplicaAddress address, const char* kind) const;
  [[nodiscard]] std::filesystem::path output(ReplicaAddress address, const char* kind) const;
  [[nodiscard]] std::filesystem::path memory(ClusterIndex cluster) const;
  [[nodiscard]] std::filesystem::path group(ReplicaAddress address);

  ReplicaClustersSettings settings_;
  ScratchFolder folder_;
  config::Pairing pairing_;
  bool is_founding_ = true;
  std::map<ReplicaAddress, MemoryGroup> groups_;  // go after the processes in them
  std::map<ReplicaAddress, Seat> processes_;
};

}  // namespace mallard::integration
