#include "cli/kv/kv_place.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/options.h"
#include "config/value_text.h"
#include "crypto/key_file.h"

namespace mallard::cli {
namespace {

namespace door = transport::door;

// What is to be done where nobody knows the key.
KvListing listing_of(const crypto::KeyPair& key, const config::Pairing& pairing, const std::string& file) {
  const std::string text = config::public_key_text(key.public_key());
  KvListing listing{
      .is_listed = std::ranges::any_of(pairing.clients,
                                       [&key](const auto& client) { return client.key == key.public_key(); }),
      .advice = fmt::format("put `- {{key: \"{}\", prefixes: [...]}}` under `clients:` of the file that the "
                            "replicas run with, and start them again one after the other",
                            text)};
  if (!listing.is_listed) {
    listing.advice = fmt::format("{} names no client with the key {}; {}", file, text, listing.advice);
  }
  return listing;
}

// Opens the doors of a cluster's replicas over the network; what is wrong is printed.
std::unique_ptr<KvClient> open_doors(const KvPlace& place, const crypto::KeyPair& key, ExitCode& exit_code) {
  const auto pairing = load_configuration(place.configuration, exit_code);
  const auto first = pairing ? find_replica(*pairing, place.cluster, 0, exit_code) : std::nullopt;
  if (!first) {
    return nullptr;
  }
  const config::ClusterSettings& cluster = pairing->clusters[first->cluster.value];
  if (cluster.kind != config::ClusterKind::cft) {
    fmt::print(stderr, "mallard kv: cluster {} is one that you run; ask it in its own way\n", cluster.name);
    exit_code = ExitCode::refused;
    return nullptr;
  }
  std::vector<door::RemoteDoor> doors;
  for (const config::ReplicaSettings& replica : cluster.replicas) {
    doors.push_back(
        {.host = replica.host, .port = replica.ports.clients, .replica = replica.keys.replica, .key = &key});
  }
  return std::make_unique<KvClient>(doors, listing_of(key, *pairing, place.configuration));
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
  return open_doors(place, *key, exit_code);
}

}  // namespace mallard::cli
