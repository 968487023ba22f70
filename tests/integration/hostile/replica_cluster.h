// One cluster that Mallard runs, each of its replicas held to its memory, and the clients that it knows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/key_pair.h"
#include "tests/integration/deployment/http_get.h"
#include "tests/integration/deployment/replica_clusters.h"
#include "tests/integration/deployment/waiting.h"
#include "transport/door/door_client.h"

namespace mallard::integration {

class ReplicaCluster {
 public:
  static constexpr std::uint16_t replicas = ReplicaClusters::replicas;

  // Makes all files; starts nothing. Client i has prefixes[i] and the key client(i). Throws
  // std::runtime_error.
  ReplicaCluster(const std::vector<std::string>& prefixes, std::uint64_t memory_bytes)
      : clusters_(settings(prefixes, memory_bytes)) {}

  // Founds the cluster. False when it is not ready within `limit`.
  [[nodiscard]] bool start(Duration limit) {
    clusters_.start_all();
    return clusters_.ready(limit) && wait_until(limit, [this] { return leader().has_value(); });
  }
  // Who says that it leads.
  [[nodiscard]] std::optional<std::size_t> leader() const { return clusters_.leader(ClusterIndex(0)); }

  [[nodiscard]] const crypto::KeyPair& client(std::size_t number) const { return clients_[number]; }
  // Where a client with this key finds the replicas; the key outlives what is returned.
  [[nodiscard]] std::vector<transport::door::RemoteDoor> doors(const crypto::KeyPair& key) const {
    std::vector<transport::door::RemoteDoor> all;
    for (const ReplicaAddress& one : clusters_.addresses()) {
      const config::ReplicaSettings& replica = clusters_.settings_of(one);
      all.push_back({.host = replica.host,
                     .port = replica.ports.clients,
                     .replica = replica.keys.replica,
                     .key = &key});
    }
    return all;
  }
  [[nodiscard]] std::uint16_t clients_port(std::size_t replica) const {
    return clusters_.settings_of(address(replica)).ports.clients;
  }

  [[nodiscard]] double metric(std::size_t replica, const std::string& name,
                              const std::string& label = "") const {
    return metric_sum(clusters_.page(address(replica), "/metrics"), name, label);
  }
  [[nodiscard]] ChildProcess& process(std::size_t replica) { return clusters_.replica(address(replica)); }
  [[nodiscard]] std::optional<std::uint64_t> kills() const { return clusters_.kills(); }
  // All that it has printed.
  [[nodiscard]] std::string said(std::size_t replica) const { return clusters_.said(address(replica)); }

 private:
  static ReplicaAddress address(std::size_t replica) {
    return {ClusterIndex(0), ReplicaIndex(static_cast<std::uint16_t>(replica))};
  }
  ReplicaClustersSettings settings(const std::vector<std::string>& prefixes, std::uint64_t memory_bytes) {
    ReplicaClustersSettings made;
    made.memory_bytes = memory_bytes;
    for (const std::string& prefix : prefixes) {
      clients_.push_back(crypto::KeyPair::generate());
      made.clients.push_back({.key = clients_.back().public_key(), .prefixes = {prefix}});
    }
    return made;
  }

  std::vector<crypto::KeyPair> clients_;
  ReplicaClusters clusters_;
};

}  // namespace mallard::integration
