#include "cli/kv/kv_place.h"

#include <cstdio>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "cli/options.h"
#include "crypto/key_file.h"

namespace mallard::cli {
namespace {

namespace door = transport::door;

// The doors of a cluster's replicas over the network; what is wrong is printed.
std::optional<std::vector<door::RemoteDoor>> find_doors(const KvPlace& place, const crypto::KeyPair& key,
                                                        ExitCode& exit_code) {
  const auto pairing = load_configuration(place.configuration, exit_code);
  const auto first = pairing ? find_replica(*pairing, place.cluster, 0, exit_code) : std::nullopt;
  if (!first) {
    return std::nullopt;
  }
  const config::ClusterSettings& cluster = pairing->clusters[first->cluster.value];
  if (cluster.kind != config::ClusterKind::cft) {
    fmt::print(stderr, "mallard kv: cluster {} is one that you run; ask it in its own way\n", cluster.name);
    exit_code = ExitCode::refused;
    return std::nullopt;
  }
  std::vector<door::RemoteDoor> doors;
  for (const config::ReplicaSettings& replica : cluster.replicas) {
    doors.push_back(
        {.host = replica.host, .port = replica.ports.clients, .replica = replica.keys.replica, .key = &key});
  }
  return doors;
}

}  // namespace

std::unique_ptr<KvClient> open_client(const KvPlace& place, ExitCode& exit_code) {
  if (!place.directories.empty()) {
    return std::make_unique<KvClient>(
        std::vector<std::filesystem::path>(place.directories.begin(), place.directories.end()));
  }
  if (place.cluster.empty() || place.identity.empty() || place.configuration.empty()) {
    fmt::print(stderr,
               "mallard kv: say where: --data DIR of the replicas on this machine, or --config FILE, "
               "--cluster NAME and --key FILE from any machine\n");
    exit_code = ExitCode::usage;
    return nullptr;
  }
  const auto key = crypto::load_key_file(place.identity);
  if (!key) {
    fmt::print(stderr, "mallard kv: {}; {}\n", key.error().what, key.error().advice);
    exit_code = ExitCode::failed;
    return nullptr;
  }
  const auto doors = find_doors(place, *key, exit_code);
  return doors ? std::make_unique<KvClient>(*doors) : nullptr;
}

}  // namespace mallard::cli
