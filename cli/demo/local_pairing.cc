#include "cli/demo/local_pairing.h"

#include <fmt/format.h>

#include <cstdint>
#include <fstream>
#include <utility>

#include "cli/demo/free_ports.h"
#include "config/print_pairing.h"
#include "config/weights.h"
#include "crypto/key_file.h"

namespace mallard::cli {
namespace {

constexpr std::size_t ports_per_replica = 6;

config::ReplicaSettings make_replica(std::size_t id, const crypto::PublicKeys& keys,
                                     const std::uint16_t* ports) {
  config::ReplicaSettings replica;
  replica.id = ReplicaIndex(static_cast<std::uint16_t>(id));
  replica.host = "127.0.0.1";
  replica.ports = {.bridge = ports[0],
                   .local = ports[1],
                   .clients = ports[2],
                   .admin = ports[3],
                   .replica_admin = ports[4],
                   .replicas = ports[5]};
  replica.keys = {.gateway = keys[0], .replica = keys[1], .signing = keys[2]};
  return replica;
}

}  // namespace

Result<config::Pairing, std::string> make_local_pairing(std::vector<LocalCluster> clusters,
                                                        std::vector<config::ClientSettings> clients,
                                                        const std::filesystem::path& file) {
  std::size_t wanted = 0;
  for (const LocalCluster& cluster : clusters) {
    wanted += cluster.directories.size() * ports_per_replica;
  }
  const std::vector<std::uint16_t> ports = find_free_ports(wanted);
  if (ports.size() < wanted) {
    return Failure<std::string>(
        fmt::format("{} free ports are needed at 127.0.0.1, {} were found", wanted, ports.size()));
  }
  config::Pairing pairing;
  const std::uint16_t* next_ports = ports.data();
  for (LocalCluster& cluster : clusters) {
    config::ClusterSettings& made = pairing.clusters.emplace_back(std::move(cluster.settings));
    for (const std::filesystem::path& directory : cluster.directories) {
      const auto keys = crypto::generate_keys(directory);
      if (!keys) {
        return Failure<std::string>(keys.error().what);
      }
      made.replicas.push_back(make_replica(made.replicas.size(), *keys, next_ports));
      next_ports += ports_per_replica;
    }
    made.faults = config::implied_faults(made.replicas.size());
  }
  if (pairing.clusters.size() == 2) {
    config::LinkSettings link;
    link.name = fmt::format("{}-{}", pairing.clusters[0].name, pairing.clusters[1].name);
    link.from = ClusterIndex(0);
    link.to = ClusterIndex(1);
    pairing.links.push_back(link);
  }
  pairing.clients = std::move(clients);
  std::ofstream out(file);
  out << config::print_pairing(pairing);
  if (!out.flush()) {
    return Failure<std::string>(fmt::format("{}: cannot be written", file.string()));
  }
  return pairing;
}

}  // namespace mallard::cli
