// The settings of a pairing: which clusters there are, how they are linked, and who may use them. One YAML
// file holds them (config/yaml loads it) and every process of the pairing has the same ones. Plain values:
// whoever fills them in by hand asks check_relations (config/relations.h) what the loader would have asked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/base/ids.h"
#include "config/contract/public_key.h"

namespace mallard::config {

// What a cluster survives, as weight, never as a count of replicas (UpRight, Clement et al., SOSP 2009).
// A cluster of total weight n needs n >= 2u + r + 1.
struct FaultBudget {
  Weight u = 0;  // weight of faults of any kind under which the cluster stays live
  Weight r = 0;  // weight of Byzantine faults under which it stays safe; r <= u
  friend constexpr bool operator==(FaultBudget, FaultBudget) = default;
};

// TCP ports of one replica and its gateway.
struct ReplicaPorts {
  std::uint16_t bridge = 7800;         // gateways of other clusters
  std::uint16_t local = 7801;          // gateways of the same cluster
  std::uint16_t clients = 7802;        // clients of a cluster that Mallard runs, from other machines
  std::uint16_t admin = 9780;          // HTTP for status and metrics of the gateway, at admin_address
  std::uint16_t replica_admin = 9781;  // likewise of the replica process, where Mallard runs the cluster
  std::uint16_t replicas = 7803;       // the other replica processes of such a cluster
  friend constexpr bool operator==(const ReplicaPorts&, const ReplicaPorts&) = default;
};

// The identities at one replica. Three keys, so that a stolen gateway can delay but not forge.
struct ReplicaKeys {
  PublicKey gateway;  // authenticates the gateway's channels
  PublicKey replica;  // authenticates the replica process's channels
  PublicKey signing;  // checks the replica's signatures under commit certificates
  friend constexpr bool operator==(const ReplicaKeys&, const ReplicaKeys&) = default;
};

struct ReplicaSettings {
  ReplicaIndex id;   // equals the replica's place in its cluster's list
  std::string host;  // IPv4 or IPv6 address or a DNS name, as other machines reach it
  ReplicaPorts ports;
  ReplicaKeys keys;
  Weight stake = 1;  // its weight; at least 1
  // IPv4 or IPv6 address of its machine at which status and metrics are served; 0.0.0.0 or :: for all of
  // them. The pages are read-only, but whoever reaches the address may read them.
  std::string admin_address = "127.0.0.1";
  friend bool operator==(const ReplicaSettings&, const ReplicaSettings&) = default;
};

// What stands behind the gateways of a cluster.
enum class ClusterKind : std::uint8_t {
  file,  // a committed log in a directory of each replica's machine
  cft,   // a cluster that Mallard runs, with the crash-tolerant engine
};

// When an entry of a cluster that Mallard runs counts as committed.
enum class Durability : std::uint8_t {
  disk,        // u + 1 replicas have synced it: it survives a power loss of all
  replicated,  // it lies in the memory of u + 1 replicas: it survives the loss of any u
};

// The one-sided memory through which the replicas of a cluster that Mallard runs reach each other.
enum class Memory : std::uint8_t {
  automatic,  // the fastest that all of them have
  shm,        // shared memory of one machine
};

// What the replicas of a cluster that Mallard runs do while nothing happens. Others write into their memory
// without a sign, so somebody has to look.
enum class Wait : std::uint8_t {
  adaptive,  // look without a pause for a moment, then ever more seldom: many processes share few cores
  spin,      // look without a pause, and notice within a millisecond who is gone: a core for each replica
};

struct ClusterSettings {
  std::string name;
  ClusterKind kind = ClusterKind::file;
  Durability durability = Durability::disk;  // of clusters that Mallard runs, as are the next two
  Memory memory = Memory::automatic;
  Wait wait = Wait::adaptive;
  FaultBudget faults;  // what the file states, or what crash faults leave room for (implied_faults)
  std::vector<ReplicaSettings> replicas;
  friend bool operator==(const ClusterSettings&, const ClusterSettings&) = default;
};

// How far a sender may run ahead of what the other cluster is known to hold.
struct WindowSettings {
  std::uint32_t messages = 4096;      // un-QUACKed messages of the link, 1 to 65,536
  std::uint64_t bytes = 64ULL << 20;  // their payload, 1 MiB (a largest batch) to 64 GiB
  friend constexpr bool operator==(const WindowSettings&, const WindowSettings&) = default;
};

// How the destination applies what a link delivers.
enum class Apply : std::uint8_t {
  mirror,  // the destination's keys under the link's prefixes follow the source's
};

struct LinkSettings {
  std::string name;
  ClusterIndex from;
  ClusterIndex to;
  std::vector<std::string> include;  // key prefixes that pass; empty: every key passes
  Apply apply = Apply::mirror;
  WindowSettings window;
  friend bool operator==(const LinkSettings&, const LinkSettings&) = default;
};

struct ClientSettings {
  PublicKey key;
  std::vector<std::string> prefixes;  // keys that it may use; empty: every key
  friend bool operator==(const ClientSettings&, const ClientSettings&) = default;
};

struct OperatorSettings {
  PublicKey key;
  friend constexpr bool operator==(const OperatorSettings&, const OperatorSettings&) = default;
};

struct Pairing {
  std::vector<ClusterSettings> clusters;  // in the file's order: ClusterIndex counts along it
  std::vector<LinkSettings> links;        // in the file's order: LinkIndex counts along it
  std::vector<ClientSettings> clients;
  std::vector<OperatorSettings> operators;
  friend bool operator==(const Pairing&, const Pairing&) = default;
};

}  // namespace mallard::config
