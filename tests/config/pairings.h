// Small pairings for tests.
#pragma once

#include <string>

#include "config/pairing.h"

namespace mallard::config {

// A key that differs from every other by its number.
inline PublicKey numbered_key(std::uint16_t number) {
  PublicKey key;
  key.bytes[0] = static_cast<std::uint8_t>(number & 0xffU);
  key.bytes[1] = static_cast<std::uint8_t>(number >> 8);
  key.bytes[31] = 1;
  return key;
}

// A cluster of `size` replicas of stake 1, each on a host of its own; `number` keeps its keys and hosts apart
// from those of other clusters.
inline ClusterSettings cluster_of(std::string name, std::uint16_t size, std::uint16_t number) {
  ClusterSettings cluster;
  cluster.name = std::move(name);
  for (std::uint16_t i = 0; i < size; ++i) {
    const auto first_key = static_cast<std::uint16_t>(number * 1000 + 3 * i);
    ReplicaSettings replica;
    replica.id = ReplicaIndex(i);
    replica.host = "10.0." + std::to_string(number) + "." + std::to_string(i + 1);
    replica.keys = {numbered_key(first_key), numbered_key(static_cast<std::uint16_t>(first_key + 1)),
                    numbered_key(static_cast<std::uint16_t>(first_key + 2))};
    cluster.replicas.push_back(replica);
  }
  cluster.faults.u = (static_cast<Weight>(size) - 1) / 2;
  return cluster;
}

inline LinkSettings link_of(std::string name, std::uint16_t from, std::uint16_t to) {
  LinkSettings link;
  link.name = std::move(name);
  link.from = ClusterIndex(from);
  link.to = ClusterIndex(to);
  return link;
}

// east, 3 replicas, and west, 1, with a link from east to west. Nothing is wrong with it.
inline Pairing small_pairing() {
  Pairing pairing;
  pairing.clusters = {cluster_of("east", 3, 1), cluster_of("west", 1, 2)};
  pairing.links = {link_of("east-west", 0, 1)};
  return pairing;
}

}  // namespace mallard::config
