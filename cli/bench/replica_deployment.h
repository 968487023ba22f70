// One cluster of whole replicas on this machine, for benchmarks that are its clients.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/demo/child_process.h"
#include "config/base/result.h"
#include "config/pairing.h"

namespace mallard::cli {

struct ReplicaDeploymentSettings {
  config::Durability durability = config::Durability::replicated;
  std::uint16_t replicas = 3;
};

class ReplicaDeployment {
 public:
  // Makes keys and configuration below `root` but starts nothing. The error is a sentence, also below.
  [[nodiscard]] static Result<ReplicaDeployment, std::string> make(const std::filesystem::path& root,
                                                                   const ReplicaDeploymentSettings& settings);

  // Starts `mallard replica` for each, and waits until all are ready, or until `interrupted`.
  [[nodiscard]] Result<void, std::string> start(const volatile int& interrupted);
  [[nodiscard]] const std::vector<std::filesystem::path>& directories() const { return directories_; }
  // SIGTERM, and SIGKILL for who does not end.
  void stop();

 private:
  explicit ReplicaDeployment(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path root_;
  config::Pairing pairing_;
  std::vector<std::filesystem::path> directories_;
  std::vector<ChildProcess> processes_;
};

}  // namespace mallard::cli
