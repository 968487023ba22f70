// The two clusters of a demo: directories, keys, configuration and processes, a gateway beside each replica
// and, where Mallard runs the cluster, the replica.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/demo/child_process.h"
#include "config/base/result.h"
#include "config/pairing.h"

namespace mallard::cli {

class DemoDeployment {
 public:
  // Makes everything below `root` but starts nothing. The error is a sentence.
  [[nodiscard]] static Result<DemoDeployment, std::string> make(
      const std::filesystem::path& root, std::uint16_t replicas,
      const std::array<config::ClusterKind, 2>& kinds);

  [[nodiscard]] const std::filesystem::path& configuration() const { return configuration_; }
  [[nodiscard]] std::uint16_t replicas() const { return replicas_; }
  // 0 is the source (east), 1 the destination (west).
  [[nodiscard]] std::string name(std::size_t cluster, std::size_t replica) const;
  [[nodiscard]] std::filesystem::path directory(std::size_t cluster, std::size_t replica) const;
  // Of all replicas of a cluster, by id.
  [[nodiscard]] std::vector<std::filesystem::path> directories(std::size_t cluster) const;
  [[nodiscard]] bool has_replicas(std::size_t cluster) const {
    return pairing_.clusters[cluster].kind == config::ClusterKind::cft;
  }
  [[nodiscard]] std::uint16_t replica_admin_port(std::size_t cluster, std::size_t replica) const {
    return pairing_.clusters[cluster].replicas[replica].ports.replica_admin;
  }
  [[nodiscard]] std::uint16_t admin_port(std::size_t cluster, std::size_t replica) const;
  [[nodiscard]] const std::string& cluster_name(std::size_t cluster) const {
    return pairing_.clusters[cluster].name;
  }
  [[nodiscard]] const std::string& link_name() const { return pairing_.links[0].name; }
  // Acknowledgements of this many replicas of the destination prove that one correct replica has a batch.
  [[nodiscard]] std::size_t quack_size() const { return pairing_.clusters[1].faults.u + 1; }

  // A replica and its gateway. The first start of all founds the clusters.
  void start(std::size_t cluster, std::size_t replica);
  void start_all();
  // As a crash of the machine would: SIGKILL to both, and they are gone when this returns.
  void crash(std::size_t cluster, std::size_t replica);
  // Of a replica or its gateway that has ended, what it was and what it printed; empty: both run.
  [[nodiscard]] std::string last_words(std::size_t cluster, std::size_t replica);
  [[nodiscard]] std::size_t processes() const;
  // SIGTERM to all, then waits; the error names one that did not end well.
  [[nodiscard]] Result<void, std::string> stop_all();

 private:
  // The processes of one replica.
  struct Seat {
    ChildProcess replica;  // where Mallard runs the cluster
    ChildProcess gateway;
  };

  DemoDeployment(std::filesystem::path root, std::uint16_t replicas);
  [[nodiscard]] std::filesystem::path log_path(std::size_t cluster, std::size_t replica,
                                               const char* process) const;
  void start_process(std::size_t cluster, std::size_t replica, const char* process);
  [[nodiscard]] Seat& seat(std::size_t cluster, std::size_t replica) {
    return seats_[cluster * replicas_ + replica];
  }

  std::filesystem::path root_;
  std::filesystem::path configuration_;
  std::uint16_t replicas_;
  config::Pairing pairing_;
  std::vector<Seat> seats_;  // by cluster, by replica
  bool founded_ = false;
};

}  // namespace mallard::cli
