// The two clusters of a demo: directories, keys, configuration and the gateways' processes.
#pragma once

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
  [[nodiscard]] static Result<DemoDeployment, std::string> make(const std::filesystem::path& root,
                                                                std::uint16_t replicas);

  [[nodiscard]] const std::filesystem::path& configuration() const { return configuration_; }
  [[nodiscard]] std::uint16_t replicas() const { return replicas_; }
  // 0 is the source (east), 1 the destination (west).
  [[nodiscard]] std::string name(std::size_t cluster, std::size_t replica) const;
  [[nodiscard]] std::filesystem::path directory(std::size_t cluster, std::size_t replica) const;
  [[nodiscard]] std::uint16_t admin_port(std::size_t cluster, std::size_t replica) const;
  [[nodiscard]] const std::string& cluster_name(std::size_t cluster) const {
    return pairing_.clusters[cluster].name;
  }
  [[nodiscard]] const std::string& link_name() const { return pairing_.links[0].name; }
  // Acknowledgements of this many replicas of the destination prove that one correct replica has a batch.
  [[nodiscard]] std::size_t quack_size() const { return pairing_.clusters[1].faults.u + 1; }

  void start(std::size_t cluster, std::size_t replica);
  void start_all();
  // As a crash would: SIGKILL, and it is gone when this returns.
  void crash(std::size_t cluster, std::size_t replica) { process(cluster, replica).kill(); }
  [[nodiscard]] ChildProcess& process(std::size_t cluster, std::size_t replica) {
    return processes_[cluster * replicas_ + replica];
  }
  // SIGTERM to all, then waits; the error names one that did not end well.
  [[nodiscard]] Result<void, std::string> stop_all();
  // What a process printed, its last lines.
  [[nodiscard]] std::string log_tail(std::size_t cluster, std::size_t replica) const;

 private:
  DemoDeployment(std::filesystem::path root, std::uint16_t replicas);
  [[nodiscard]] std::filesystem::path log_path(std::size_t cluster, std::size_t replica) const;

  std::filesystem::path root_;
  std::filesystem::path configuration_;
  std::uint16_t replicas_;
  config::Pairing pairing_;
  std::vector<ChildProcess> processes_;  // by cluster, by replica
};

}  // namespace mallard::cli
