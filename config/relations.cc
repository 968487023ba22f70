#include "config/relations.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/fields.h"
#include "config/value_text.h"
#include "config/weights.h"

namespace mallard::config {
namespace {

using Broken = std::vector<BrokenRelation>;

std::string cluster_path(const ClusterSettings& cluster) { return "clusters." + cluster.name; }

std::string replica_path(const ClusterSettings& cluster, std::size_t at) {
  return fmt::format("clusters.{}.replicas[{}]", cluster.name, at);
}

std::string link_path(std::size_t at) { return fmt::format("links[{}]", at); }

// ---- Names, ids and keys appear once ------------------------------------------------------------

void check_names(const Pairing& pairing, Broken& broken) {
  std::map<std::string_view, std::size_t> links;
  for (std::size_t i = 0; i < pairing.links.size(); ++i) {
    const auto [first, is_new] = links.emplace(pairing.links[i].name, i);
    if (!is_new) {
      broken.push_back({{link_path(i) + ".name", link_path(first->second) + ".name"},
                        fmt::format("two links are called {}", shown(pairing.links[i].name)),
                        "give each link a name of its own"});
    }
  }
  std::set<std::string_view> clusters;
  for (const ClusterSettings& cluster : pairing.clusters) {
    if (!clusters.insert(cluster.name).second) {
      broken.push_back({{cluster_path(cluster)},
                        fmt::format("two clusters are called {}", shown(cluster.name)),
                        "give each cluster a name of its own"});
    }
  }
}

void check_ids(const ClusterSettings& cluster, Broken& broken) {
  std::map<std::uint16_t, std::size_t> seen;
  std::vector<std::string> all_ids;
  for (std::size_t i = 0; i < cluster.replicas.size(); ++i) {
    const std::uint16_t id = cluster.replicas[i].id.value;
    const auto [first, is_new] = seen.emplace(id, i);
    all_ids.push_back(replica_path(cluster, i) + ".id");
    if (!is_new) {
      broken.push_back({{all_ids.back(), all_ids[first->second]},
                        fmt::format("two replicas of cluster {} have the id {}", shown(cluster.name), id),
                        "give each replica an id of its own"});
    }
  }
  const bool duplicates = seen.size() != cluster.replicas.size();
  for (std::size_t id = 0; !duplicates && id < cluster.replicas.size(); ++id) {
    if (!seen.contains(static_cast<std::uint16_t>(id))) {
      const std::size_t highest = seen.rbegin()->second;
      std::rotate(all_ids.begin(), all_ids.begin() + static_cast<std::ptrdiff_t>(highest), all_ids.end());
      broken.push_back({all_ids, fmt::format("the ids of cluster {} leave out {}", shown(cluster.name), id),
                        fmt::format("number its {} replicas 0 to {}", seen.size(), seen.size() - 1)});
      return;
    }
  }
}

// Finds keys that appear twice, whatever their role: a shared key lets one thief act as two.
class KeyRegister {
 public:
  explicit KeyRegister(Broken& broken) : broken_(broken) {}

  void add(const PublicKey& key, std::string path) {
    const auto [first, is_new] = places_.emplace(key, path);
    if (!is_new) {
      std::string what = fmt::format("this key is also that of {}", first->second);
      broken_.push_back({{std::move(path), first->second},
                         std::move(what),
                         "give each its own; `mallard keys generate` makes them"});
    }
  }

 private:
  Broken& broken_;
  std::map<PublicKey, std::string> places_;
};

void check_keys(const Pairing& pairing, Broken& broken) {
  KeyRegister keys(broken);
  for (const ClusterSettings& cluster : pairing.clusters) {
    for (std::size_t i = 0; i < cluster.replicas.size(); ++i) {
      const std::string path = replica_path(cluster, i) + ".keys.";
      keys.add(cluster.replicas[i].keys.gateway, path + "gateway");
      keys.add(cluster.replicas[i].keys.replica, path + "replica");
      keys.add(cluster.replicas[i].keys.signing, path + "signing");
    }
  }
  for (std::size_t i = 0; i < pairing.clients.size(); ++i) {
    keys.add(pairing.clients[i].key, fmt::format("clients[{}].key", i));
  }
  for (std::size_t i = 0; i < pairing.operators.size(); ++i) {
    keys.add(pairing.operators[i].key, fmt::format("operators[{}].key", i));
  }
}

// ---- Weights ------------------------------------------------------------------------------------

void check_weights(const ClusterSettings& cluster, Broken& broken) {
  const std::string path = cluster_path(cluster);
  std::vector<std::string> stakes{path + ".replicas"};
  for (std::size_t i = 0; i < cluster.replicas.size(); ++i) {
    stakes.push_back(replica_path(cluster, i) + ".stake");
  }
  const std::optional<Weight> total = total_weight(cluster);
  if (!total) {
    broken.push_back({stakes,
                      fmt::format("the stakes of cluster {} sum to 2^63 or more", shown(cluster.name)),
                      "use smaller numbers in the same proportion"});
    return;
  }
  std::vector<std::string> settings{path + ".faults", path + ".faults.u", path + ".faults.r"};
  settings.insert(settings.end(), stakes.begin(), stakes.end());
  const auto [u, r] = cluster.faults;
  if (r > u) {
    broken.push_back({{path + ".faults.r", path + ".faults.u"},
                      fmt::format("r ({}) is greater than u ({}), but u counts Byzantine faults too", r, u),
                      "make u at least r"});
    return;
  }
  const std::optional<Weight> needed = required_weight(cluster.faults);
  if (!needed || *total < *needed) {
    const std::string needs = needed ? fmt::format("{}", *needed) : "2^63 or more";
    broken.push_back(
        {settings,
         fmt::format("cluster {} has weight {}; to survive u = {} and r = {} it needs 2u + r + 1 = {}",
                     shown(cluster.name), *total, u, r, needs),
         "add replicas, or lower u or r"});
  }
}

// ---- Machines -----------------------------------------------------------------------------------

// One spelling for one machine, as far as the text tells: addresses in one form, names in lower case.
std::string machine_of(const std::string& host) {
  std::array<unsigned char, 16> address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_pton(AF_INET6, host.c_str(), address.data()) == 1 &&
      inet_ntop(AF_INET6, address.data(), text.data(), text.size()) != nullptr) {
    return std::string_view(text.data()) == "::1" ? "127.0.0.1" : text.data();
  }
  std::string machine = host;
  std::transform(machine.begin(), machine.end(), machine.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return machine == "localhost" ? "127.0.0.1" : machine;
}

// ---- Engines ------------------------------------------------------------------------------------

// What the engine cft and the memory that this version has can keep.
void check_engine(const ClusterSettings& cluster, Broken& broken) {
  if (cluster.kind != ClusterKind::cft) {
    return;
  }
  const std::string path = cluster_path(cluster);
  if (cluster.faults.r > 0) {
    broken.push_back({{path + ".faults.r", path + ".faults", path + ".engine"},
                      fmt::format("cluster {} cannot survive Byzantine faults: the engine cft tolerates "
                                  "crashes only",
                                  shown(cluster.name)),
                      "make r 0"});
  }
  for (std::size_t i = 0; i < cluster.replicas.size(); ++i) {
    if (cluster.replicas[i].stake != 1) {
      broken.push_back({{replica_path(cluster, i) + ".stake", path + ".engine"},
                        "the engine cft counts replicas, not stakes",
                        "leave `stake` out"});
    }
    const bool together = machine_of(cluster.replicas[i].host) == machine_of(cluster.replicas.front().host);
    if (!together) {
      broken.push_back({{replica_path(cluster, i) + ".host", replica_path(cluster, 0) + ".host",
                         path + ".memory", path + ".engine"},
                        fmt::format("replica {} of cluster {} is on another machine than replica 0, and the "
                                    "memory of this version is shared memory",
                                    cluster.replicas[i].id.value, shown(cluster.name)),
                        "give all replicas of the cluster one host"});
    }
  }
}

// ---- Sockets ------------------------------------------------------------------------------------

// Finds ports that appear twice on one machine.
class PortRegister {
 public:
  explicit PortRegister(Broken& broken) : broken_(broken) {}

  void add(const ClusterSettings& cluster, std::size_t at) {
    const ReplicaSettings& replica = cluster.replicas[at];
    const std::string machine = machine_of(replica.host);
    auto add_port = [&](const Field& field, const std::uint16_t& port, CountRule) {
      const bool is_of_replica = &port == &replica.ports.replica_admin || &port == &replica.ports.replicas;
      if (is_of_replica && cluster.kind == ClusterKind::file) {
        return;  // there is no replica process of ours
      }
      const std::string path = replica_path(cluster, at);
      Owner owner{fmt::format("{}.ports.{}", path, field.key),
                  fmt::format("{} {}'s {}", cluster.name, replica.id.value, field.key)};
      const auto [first, is_new] = sockets_.try_emplace({machine, port}, owner);
      if (!is_new) {
        broken_.push_back(
            {{owner.path, first->second.path, path + ".host", path + ".id"},
             fmt::format("port {} of {} is already {} port", port, replica.host, first->second.name),
             fmt::format("choose another with `ports: {{{}: ...}}`", field.key)});
      }
    };
    visit_fields(add_port, replica.ports);
  }

 private:
  struct Owner {
    std::string path;
    std::string name;
  };

  Broken& broken_;
  std::map<std::pair<std::string, std::uint16_t>, Owner> sockets_;
};

void check_ports(const Pairing& pairing, Broken& broken) {
  PortRegister ports(broken);
  for (const ClusterSettings& cluster : pairing.clusters) {
    for (std::size_t i = 0; i < cluster.replicas.size(); ++i) {
      ports.add(cluster, i);
    }
  }
}

// ---- Links --------------------------------------------------------------------------------------

bool has_ends(const Pairing& pairing, const LinkSettings& link) {
  return link.from.value < pairing.clusters.size() && link.to.value < pairing.clusters.size();
}

void check_ends(const Pairing& pairing, Broken& broken) {
  for (std::size_t i = 0; i < pairing.links.size(); ++i) {
    const LinkSettings& link = pairing.links[i];
    if (!has_ends(pairing, link)) {
      broken.push_back({{link_path(i), link_path(i) + ".to", link_path(i) + ".from", "clusters"},
                        fmt::format("link {} names a cluster that does not exist", shown(link.name)),
                        "name two clusters of the pairing"});
    }
    if (link.from == link.to) {
      broken.push_back({{link_path(i) + ".to", link_path(i) + ".from"},
                        fmt::format("link {} ends in the cluster where it starts", shown(link.name)),
                        "name two different clusters"});
    }
  }
}

bool passes(const LinkSettings& link, std::string_view key) {
  return link.include.empty() || std::any_of(link.include.begin(), link.include.end(),
                                             [&](const std::string& p) { return key.starts_with(p); });
}

// Looks for circles among the mirror links that a given key passes.
class CircleSearch {
 public:
  CircleSearch(const Pairing& pairing, std::string_view key) : pairing_(pairing), key_(key) {}

  // The places of a shortest circle's links that ends with link `last`; empty when there is none.
  [[nodiscard]] std::vector<std::size_t> through(std::size_t last) const {
    const LinkSettings& closing = pairing_.links[last];
    if (!is_candidate(closing)) {
      return {};
    }
    std::map<ClusterIndex, std::size_t> arrived_by;  // the link by which the search came to a cluster
    std::vector<ClusterIndex> queue{closing.to};
    for (std::size_t next = 0; next < queue.size() && !arrived_by.contains(closing.from); ++next) {
      for (std::size_t i = 0; i < last; ++i) {  // earlier links only: each circle is found at its last link
        const LinkSettings& link = pairing_.links[i];
        if (is_candidate(link) && link.from == queue[next] && arrived_by.emplace(link.to, i).second) {
          queue.push_back(link.to);
        }
      }
    }
    if (!arrived_by.contains(closing.from)) {
      return {};
    }
    std::vector<std::size_t> circle{last};
    for (ClusterIndex at = closing.from; at != closing.to; at = pairing_.links[circle.back()].from) {
      circle.push_back(arrived_by.at(at));
    }
    std::reverse(circle.begin() + 1, circle.end());
    return circle;
  }

 private:
  [[nodiscard]] bool is_candidate(const LinkSettings& link) const {
    return link.apply == Apply::mirror && link.from != link.to && has_ends(pairing_, link) &&
           passes(link, key_);
  }

  const Pairing& pairing_;
  std::string_view key_;
};

BrokenRelation broken_circle(const Pairing& pairing, const std::vector<std::size_t>& circle,
                             std::string_view key) {
  BrokenRelation broken;
  std::string route = pairing.clusters[pairing.links[circle.front()].from.value].name;
  broken.settings.push_back(link_path(circle.front()) + ".include");
  for (const std::size_t at : circle) {
    const LinkSettings& link = pairing.links[at];
    route += " -> " + pairing.clusters[link.to.value].name;
    for (const char* setting : {".from", ".to", ".include", ".apply"}) {
      broken.settings.push_back(link_path(at) + setting);
    }
  }
  const std::string keys = key.empty() ? "every key" : fmt::format("keys under {}", shown(key));
  broken.what = fmt::format("mirror links form a circle: {} would go {} without end", keys, route);
  broken.advice = "give its links prefixes that do not overlap, or remove one";
  return broken;
}

// A key that passes every link of a circle extends one prefix of each; the longest of these passes them all
// as well. So it is enough to try the prefixes themselves, and the empty key for links that pass everything.
void check_circles(const Pairing& pairing, Broken& broken) {
  std::set<std::string_view> keys{""};
  for (const LinkSettings& link : pairing.links) {
    keys.insert(link.include.begin(), link.include.end());
  }
  for (std::size_t last = 0; last < pairing.links.size(); ++last) {
    for (const std::string_view key : keys) {
      const std::vector<std::size_t> circle = CircleSearch(pairing, key).through(last);
      if (!circle.empty()) {
        broken.push_back(broken_circle(pairing, circle, key));
        break;  // one circle for each link that closes one
      }
    }
  }
}

}  // namespace

std::vector<BrokenRelation> check_relations(const Pairing& pairing) {
  Broken broken;
  check_names(pairing, broken);
  for (const ClusterSettings& cluster : pairing.clusters) {
    check_ids(cluster, broken);
    check_weights(cluster, broken);
    check_engine(cluster, broken);
  }
  check_keys(pairing, broken);
  check_ports(pairing, broken);
  check_ends(pairing, broken);
  check_circles(pairing, broken);
  return broken;
}

}  // namespace mallard::config
