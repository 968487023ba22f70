#include "tests/integration/hostile/replica_cluster.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "cli/demo/free_ports.h"
#include "config/print_pairing.h"
#include "config/weights.h"
#include "crypto/key_file.h"
#include "tests/integration/deployment/deployment.h"
#include "tests/integration/deployment/http_get.h"
#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr std::size_t ports_per_replica = 6;

}  // namespace

ReplicaCluster::ReplicaCluster(const std::vector<std::string>& prefixes) {
  const std::vector<std::uint16_t> ports = cli::find_free_ports(ports_per_replica * replicas);
  if (ports.size() < ports_per_replica * replicas) throw std::runtime_error("too few free ports");
  config::ClusterSettings cluster;
  cluster.name = "east";
  cluster.kind = config::ClusterKind::cft;
  for (std::uint16_t i = 0; i < replicas; ++i) {
    const auto keys = crypto::generate_keys(directory(i));
    if (!keys) throw std::runtime_error(keys.error().what);
    const std::uint16_t* port = &ports.at(ports_per_replica * i);
    config::ReplicaSettings replica;
    replica.id = ReplicaIndex(i);
    replica.host = "127.0.0.1";
    replica.ports = {port[0], port[1], port[2], port[3], port[4], port[5]};
    replica.keys = {.gateway = keys->at(0), .replica = keys->at(1), .signing = keys->at(2)};
    cluster.replicas.push_back(replica);
  }
  cluster.faults = config::implied_faults(replicas);
  pairing_.clusters.push_back(cluster);
  for (const std::string& prefix : prefixes) {
    clients_.push_back(crypto::KeyPair::generate());
    pairing_.clients.push_back({.key = clients_.back().public_key(), .prefixes = {prefix}});
  }
  std::ofstream(folder_.path() / "pairing.yaml") << config::print_pairing(pairing_);
}

bool ReplicaCluster::start(std::uint64_t memory_bytes, Duration limit) {
  for (std::size_t i = 0; i < replicas; ++i) {
    const std::vector<std::string> command{built_program().string(),
                                           "replica",
                                           "--config",
                                           (folder_.path() / "pairing.yaml").string(),
                                           "--cluster",
                                           "east",
                                           "--id",
                                           std::to_string(i),
                                           "--data",
                                           directory(i),
                                           "--memory",
                                           (folder_.path() / "memory").string(),
                                           "--found"};
    ChildOptions options{.output = directory(i) + ".out"};
    if (auto group = MemoryGroup::create("client-" + std::to_string(i))) {
      group->limit(memory_bytes);
      groups_.push_back(std::move(*group));
      options.group = groups_.back().path();
    } else {
      std::printf("NOTE: this replica runs without a limit: %s\n", group.error().c_str());
    }
    processes_[i].emplace(command, options);
  }
  return wait_until(limit, [this] { return is_ready() && leader(); });
}

bool ReplicaCluster::is_ready() const {
  for (std::size_t i = 0; i < replicas; ++i) {
    if (page(i, "/readyz").empty()) return false;
  }
  return true;
}

std::optional<std::size_t> ReplicaCluster::leader() const {
  for (std::size_t i = 0; i < replicas; ++i) {
    if (page(i, "/status").find("\"state\":\"leading\"") != std::string::npos) return i;
  }
  return std::nullopt;
}

std::vector<transport::door::RemoteDoor> ReplicaCluster::doors(const crypto::KeyPair& key) const {
  std::vector<transport::door::RemoteDoor> all;
  for (const config::ReplicaSettings& replica : pairing_.clusters[0].replicas) {
    all.push_back(
        {.host = replica.host, .port = replica.ports.clients, .replica = replica.keys.replica, .key = &key});
  }
  return all;
}

std::uint16_t ReplicaCluster::clients_port(std::size_t replica) const {
  return pairing_.clusters[0].replicas[replica].ports.clients;
}

std::string ReplicaCluster::page(std::size_t replica, const std::string& path) const {
  return http_get(nullptr, pairing_.clusters[0].replicas[replica].ports.replica_admin, path).value_or("");
}

double ReplicaCluster::metric(std::size_t replica, const std::string& name, const std::string& label) const {
  return metric_sum(page(replica, "/metrics"), name, label);
}

std::optional<std::uint64_t> ReplicaCluster::kills() const {
  std::uint64_t sum = 0;
  for (const MemoryGroup& group : groups_) sum += group.kills();
  return groups_.size() == replicas ? std::optional(sum) : std::nullopt;
}

std::string ReplicaCluster::last_words(std::size_t replica) const {
  std::ifstream file(directory(replica) + ".out");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 2000));
}

std::string ReplicaCluster::directory(std::size_t replica) const {
  return (folder_.path() / std::to_string(replica)).string();
}

}  // namespace mallard::integration
