// Two clusters of kind `file` with one gateway process beside each replica, as an operator would run them:
// data directories with keys, one YAML file, `mallard gateway`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/base/ids.h"
#include "config/pairing.h"
#include "tests/integration/deployment/child_process.h"
#include "tests/integration/deployment/network_namespace.h"
#include "tests/integration/deployment/scratch_folder.h"

namespace mallard::integration {

// One cluster and where it is.
struct Site {
  std::string name;
  std::uint16_t replicas = 3;
  std::vector<std::string> hosts = {"127.0.0.1"};  // of the replicas, in turn
  const NetworkNamespace* space = nullptr;         // null: that of the caller
};

class Deployment {
 public:
  static constexpr const char* link = "line";  // from the first site to the second

  // Makes all files; starts nothing. `program` is the built mallard. Throws std::runtime_error.
  Deployment(std::filesystem::path program, const std::vector<Site>& sites,
             const config::WindowSettings& window = {});

  // Starts the gateway; `group` as in ChildOptions. Its output is appended to gateway.log in its directory.
  void start(ReplicaAddress replica, const std::filesystem::path& group = {});
  void start_all();
  [[nodiscard]] ChildProcess& process(ReplicaAddress replica) { return processes_.at(replica); }
  // Each that was started, in order of address.
  [[nodiscard]] std::map<ReplicaAddress, ChildProcess>& processes() { return processes_; }

  // True once every started gateway says that it is ready. Waits.
  [[nodiscard]] bool ready(Duration limit) const;
  // What its admin port answers on `path`.
  [[nodiscard]] std::optional<std::string> ask(ReplicaAddress replica, const std::string& path) const;
  // The metric summed over all gateways of a site that answer.
  [[nodiscard]] double sum(ClusterIndex site, const std::string& metric, const std::string& label = "") const;

  [[nodiscard]] std::filesystem::path directory(ReplicaAddress replica) const;
  [[nodiscard]] std::vector<std::filesystem::path> directories(ClusterIndex site) const;
  [[nodiscard]] std::filesystem::path configuration_path() const { return folder_.path() / "pairing.yaml"; }
  [[nodiscard]] const config::Pairing& pairing() const { return pairing_; }
  // The end of a gateway's output, for a failed test's message.
  [[nodiscard]] std::string last_words(ReplicaAddress replica) const;

 private:
  std::filesystem::path program_;
  ScratchFolder folder_;
  std::vector<Site> sites_;
  config::Pairing pairing_;
  std::map<ReplicaAddress, ChildProcess> processes_;
};

// The program of this build, or the one that MALLARD_PROGRAM names in the environment.
[[nodiscard]] std::filesystem::path built_program();

}  // namespace mallard::integration
