// Where `mallard kv` asks: the replicas of a cluster on this machine, or from any machine over the network.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/kv/kv_client.h"

namespace mallard::cli {

struct KvPlace {
  std::vector<std::string> directories;  // of replicas on this machine
  std::string configuration;             // with cluster and identity: instead of directories
  std::string cluster;
  std::string identity;  // the client's key file
};

// Nothing when the place is not said or cannot be used: why is printed, and `exit_code` set.
[[nodiscard]] std::unique_ptr<KvClient> open_client(const KvPlace& place, ExitCode& exit_code);

}  // namespace mallard::cli
