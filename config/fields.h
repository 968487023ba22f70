// The one list of fields of each settings struct. The loader, the printer and the tests of the template all
// walk it, so that a field is spelled, bounded and described in one place. Defaults are the member
// initialisers of the structs.
//
// `visit(field, member, rule)` is called once per field, in the order of the file; the rule says what the
// member means and what range it has.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "config/base/limits.h"
#include "config/pairing.h"

namespace mallard::config {

// Whether a mapping may leave the field out.
enum class Need : std::uint8_t { optional, required };

struct Field {
  const char* key = "";      // as it is spelled in the file
  const char* meaning = "";  // completes "add `key`, ..."
  Need need = Need::optional;
};

// A plain whole number within [low, high].
struct CountRule {
  std::uint64_t low;
  std::uint64_t high;
};
// A number of bytes within [low, high], written with its unit.
struct SizeRule {
  std::uint64_t low;
  std::uint64_t high;
};
struct HostRule {};        // an IPv4 or IPv6 address or a DNS name
struct AddressRule {};     // an IPv4 or IPv6 address to listen at
struct NameRule {};        // a name that is safe in paths, labels and certificates
struct KeyRule {};         // an Ed25519 public key
struct PrefixesRule {};    // a list of key prefixes
struct ClusterRule {};     // the name of a cluster of the same file
struct ApplyRule {};       // a word of Apply
struct AttachRule {};      // what stands behind the gateways of a cluster that others run: {file: {}}
struct EngineRule {};      // the engine of a cluster that Mallard runs
struct DurabilityRule {};  // a word of Durability; only beside an engine
struct MemoryRule {};      // a word of Memory; only beside an engine
struct WaitRule {};        // a word of Wait; only beside an engine
// A setting that other versions know and this one refuses, with what to do about it; the member is not
// touched.
struct UnavailableRule {
  const char* instead;
};
// A mapping with fields of its own; `one_line` only tells the printer.
struct NestedRule {
  bool one_line = false;
};
// The fault budget of a cluster: a mapping that, left out, follows from the stakes.
struct FaultsRule {};
// A list of mappings, with its smallest and largest count.
struct ListRule {
  std::size_t low;
  std::size_t high;
};
// A mapping from names to mappings, with its smallest and largest count; the name is the struct's member
// `name`.
struct NamedRule {
  std::size_t low;
  std::size_t high;
};

template <class S, class T>
concept SettingsOf = std::same_as<std::remove_const_t<S>, T>;

inline constexpr std::uint32_t window_messages_max = 65'536;
inline constexpr std::uint64_t window_bytes_max = 64ULL << 30;
inline constexpr std::size_t clients_max = 1024;    // `clients` and `operators` each
inline constexpr std::size_t prefixes_max = 256;    // in one list
inline constexpr std::size_t name_bytes_max = 63;   // of a cluster or link: a DNS label
inline constexpr std::size_t host_bytes_max = 253;  // a DNS name
inline constexpr std::size_t prefix_bytes_max = 1024;

template <class Visitor, SettingsOf<FaultBudget> S>
void visit_fields(Visitor& visit, S& faults) {
  visit({"u", "the weight of faults of any kind that it stays live under", Need::required}, faults.u,
        CountRule{0, cluster_weight_max});
  visit({"r", "the weight of Byzantine faults that it stays safe under (0: crashes only)", Need::required},
        faults.r, CountRule{0, cluster_weight_max});
}

template <class Visitor, SettingsOf<ReplicaPorts> S>
void visit_fields(Visitor& visit, S& ports) {
  constexpr CountRule port{1, 65'535};
  visit({"bridge", "where gateways of other clusters connect"}, ports.bridge, port);
  visit({"local", "where gateways of the same cluster connect"}, ports.local, port);
  visit({"clients", "where clients of an engine connect"}, ports.clients, port);
  visit({"admin", "where the gateway serves status and metrics"}, ports.admin, port);
  visit({"replica_admin", "where the replica process of an engine does"}, ports.replica_admin, port);
  visit({"replicas", "where the replicas of an engine connect to each other"}, ports.replicas, port);
}

template <class Visitor, SettingsOf<ReplicaKeys> S>
void visit_fields(Visitor& visit, S& keys) {
  visit({"gateway", "the public key of the gateway's channels", Need::required}, keys.gateway, KeyRule{});
  visit({"replica", "the public key of the replica process's channels", Need::required}, keys.replica,
        KeyRule{});
  visit({"signing", "the public key that checks what the replica signs", Need::required}, keys.signing,
        KeyRule{});
}

template <class Visitor, SettingsOf<ReplicaSettings> S>
void visit_fields(Visitor& visit, S& replica) {
  visit({"id", "its number in its cluster, from 0", Need::required}, replica.id.value,
        CountRule{0, replicas_max - 1});
  visit({"host", "the address by which the other machines reach it", Need::required}, replica.host,
        HostRule{});
  visit({"ports", "its TCP ports"}, replica.ports, NestedRule{.one_line = true});
  visit({"admin_address", "the address of its machine at which status and metrics are served"},
        replica.admin_address, AddressRule{});
  visit({"keys", "its public keys, as `mallard keys show` prints them", Need::required}, replica.keys,
        NestedRule{});
  visit({"stake", "its weight"}, replica.stake, CountRule{1, cluster_weight_max});
}

template <class Visitor, SettingsOf<ClusterSettings> S>
void visit_fields(Visitor& visit, S& cluster) {
  visit({"engine", "the engine that runs it"}, cluster.kind, EngineRule{});
  visit({"durability", "when an entry counts as committed"}, cluster.durability, DurabilityRule{});
  visit({"memory", "the memory that its engine uses"}, cluster.memory, MemoryRule{});
  visit({"wait", "what its replicas do while nothing happens"}, cluster.wait, WaitRule{});
  visit({"memory_nodes", "the memory nodes of its engine"}, cluster.memory,
        UnavailableRule{"remove it; it belongs to the engine bft"});
  visit(
      {"attach", "what stands behind its gateways (`attach: {file: {}}`), or `engine: cft`", Need::required},
      cluster.kind, AttachRule{});
  visit({"faults", "the weights of faults that it survives"}, cluster.faults, FaultsRule{});
  visit({"replicas", "the list of its replicas", Need::required}, cluster.replicas,
        ListRule{1, replicas_max});
}

template <class Visitor, SettingsOf<WindowSettings> S>
void visit_fields(Visitor& visit, S& window) {
  visit({"messages", "how many messages may wait to be known as received"}, window.messages,
        CountRule{1, window_messages_max});
  visit({"bytes", "how many bytes they may have"}, window.bytes, SizeRule{batch_bytes_max, window_bytes_max});
}

template <class Visitor, SettingsOf<LinkSettings> S>
void visit_fields(Visitor& visit, S& link) {
  visit({"name", "the name of the link", Need::required}, link.name, NameRule{});
  visit({"from", "the cluster that it reads", Need::required}, link.from, ClusterRule{});
  visit({"to", "the cluster that it delivers to", Need::required}, link.to, ClusterRule{});
  visit({"include", "the key prefixes that pass"}, link.include, PrefixesRule{});
  visit({"apply", "how the destination applies what arrives", Need::required}, link.apply, ApplyRule{});
  visit({"window", "how far it may run ahead"}, link.window, NestedRule{.one_line = true});
}

template <class Visitor, SettingsOf<ClientSettings> S>
void visit_fields(Visitor& visit, S& client) {
  visit({"key", "the client's public key", Need::required}, client.key, KeyRule{});
  visit({"prefixes", "the key prefixes that it may use"}, client.prefixes, PrefixesRule{});
}

template <class Visitor, SettingsOf<OperatorSettings> S>
void visit_fields(Visitor& visit, S& person) {
  visit({"key", "the operator's public key", Need::required}, person.key, KeyRule{});
}

template <class Visitor, SettingsOf<Pairing> S>
void visit_fields(Visitor& visit, S& pairing) {
  visit({"clusters", "the clusters by name", Need::required}, pairing.clusters, NamedRule{1, clusters_max});
  visit({"links", "the links between them"}, pairing.links, ListRule{0, links_max});
  visit({"clients", "who may use the clusters"}, pairing.clients, ListRule{0, clients_max});
  visit({"operators", "who may operate the pairing"}, pairing.operators, ListRule{0, clients_max});
}

}  // namespace mallard::config
