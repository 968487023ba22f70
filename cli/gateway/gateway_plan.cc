#include "cli/gateway/gateway_plan.h"

#include <algorithm>
#include <vector>

#include "bridge/attach/file/checked_entries.h"
#include "bridge/attach/file/record_format.h"
#include "config/base/limits.h"
#include "config/base/payload_pool.h"
#include "config/canonical_bytes.h"
#include "config/weights.h"
#include "crypto/digest.h"
#include "transport/channel/listen_host.h"

namespace mallard::cli {
namespace {

bool touches(const config::LinkSettings& link, ClusterIndex cluster) {
  return link.from == cluster || link.to == cluster;
}

// The replicas that self has channels to on one plane.
std::vector<ReplicaAddress> peers_on(const config::Pairing& pairing, ReplicaAddress self,
                                     transport::Plane plane) {
  std::vector<ReplicaAddress> peers;
  for (std::uint16_t c = 0; c < pairing.clusters.size(); ++c) {
    const ClusterIndex cluster(c);
    const bool own = cluster == self.cluster;
    const bool linked = std::ranges::any_of(pairing.links, [&](const config::LinkSettings& link) {
      return !own && touches(link, cluster) && touches(link, self.cluster);
    });
    if (plane == transport::Plane::local ? !own : !linked) {
      continue;
    }
    for (std::uint16_t r = 0; r < pairing.clusters[c].replicas.size(); ++r) {
      if (!own || ReplicaIndex(r) != self.replica) {
        peers.push_back({cluster, ReplicaIndex(r)});
      }
    }
  }
  return peers;
}

// Of the attachment built-in: batches under way from the replica, per link.
constexpr std::uint32_t read_ahead = 16;

// Replicas that sleep and sync on their own execute an entry at different times, more so where they share a
// machine; what is late for that reason is not lost.
constexpr Duration replica_skew = Duration::milliseconds(400);

bool has_replica(const config::Pairing& pairing, ReplicaAddress self) {
  return pairing.clusters[self.cluster.value].kind == config::ClusterKind::cft;
}

struct WindowSum {
  std::uint64_t outbound_bytes = 0;
  std::uint64_t inbound_bytes = 0;
  std::uint64_t messages = 0;
  std::size_t outbound = 0;
  std::size_t inbound = 0;
};

WindowSum sum_windows(const config::Pairing& pairing, ClusterIndex self) {
  WindowSum sum;
  for (const config::LinkSettings& link : pairing.links) {
    if (!touches(link, self)) {
      continue;
    }
    const bool out = link.from == self;
    (out ? sum.outbound_bytes : sum.inbound_bytes) += link.window.bytes;
    ++(out ? sum.outbound : sum.inbound);
    sum.messages += link.window.messages;
  }
  return sum;
}

// The clusters that self has channels to on one plane.
std::vector<const config::ClusterSettings*> clusters_on(const config::Pairing& pairing, ReplicaAddress self,
                                                        transport::Plane plane) {
  std::vector<const config::ClusterSettings*> clusters;
  for (const ReplicaAddress peer : peers_on(pairing, self, plane)) {
    const config::ClusterSettings* cluster = &pairing.clusters[peer.cluster.value];
    if (clusters.empty() || clusters.back() != cluster) {
      clusters.push_back(cluster);
    }
  }
  return clusters;
}

// The most of `window_bytes` that is on its way to one replica of the cluster: what its weight brings it, and
// as much for a neighbour that is down.
std::uint64_t lane_share(const config::ClusterSettings& cluster, std::uint64_t window_bytes) {
  std::uint64_t heaviest = 0;
  std::uint64_t total = 0;
  for (const config::ReplicaSettings& replica : cluster.replicas) {
    heaviest = std::max<std::uint64_t>(heaviest, replica.stake);
    total += replica.stake;
  }
  const double share = std::min(1.0, 2.0 * static_cast<double>(heaviest) / static_cast<double>(total));
  return static_cast<std::uint64_t>(share * static_cast<double>(window_bytes));
}

// A lane takes what a full window can put on it: a frame that does not fit would have to be sent again. It
// takes no more, because a peer that reads slowly keeps what is on its lane from the pool.
transport::ChannelLimits plan_limits(const config::Pairing& pairing, ReplicaAddress self,
                                     transport::Plane plane) {
  constexpr std::uint32_t head_bytes_usual = 128;
  const WindowSum windows = sum_windows(pairing, self.cluster);
  const bool local = plane == transport::Plane::local;
  transport::ChannelLimits limits;
  limits.data.frames = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(windows.messages, 1024, 65'536));
  limits.data.head_bytes = limits.data.frames * head_bytes_usual;
  limits.data.body_bytes = transport::frame_body_bytes_max;
  for (const config::ClusterSettings* cluster : clusters_on(pairing, self, plane)) {
    limits.data.body_bytes = std::max(
        limits.data.body_bytes, lane_share(*cluster, local ? windows.inbound_bytes : windows.outbound_bytes));
  }
  return limits;
}

// How many replicas of a cluster can be slow at most while it QUACKs without them. If more are, the window
// does not move on, and all that is on lanes is still the core's.
std::uint64_t slow_replicas_max(const config::ClusterSettings& cluster) {
  std::vector<std::uint64_t> stakes;
  std::uint64_t weight = 0;
  for (const config::ReplicaSettings& replica : cluster.replicas) {
    stakes.push_back(replica.stake);
    weight += replica.stake;
  }
  std::ranges::sort(stakes);
  std::uint64_t slow = 0;
  for (const std::uint64_t stake : stakes) {
    weight -= stake;
    slow += weight >= config::quack_threshold(cluster.faults) ? 1U : 0U;
  }
  return slow;
}

// Bodies that the core has long given back, on the lanes to peers that hardly read: so many that those who do
// read never find the pool empty.
std::uint64_t slow_lanes_bytes(const config::Pairing& pairing, ReplicaAddress self) {
  std::uint64_t bytes = 0;
  for (const transport::Plane plane : {transport::Plane::bridge, transport::Plane::local}) {
    const std::uint64_t lane = plan_limits(pairing, self, plane).data.body_bytes;
    for (const config::ClusterSettings* cluster : clusters_on(pairing, self, plane)) {
      bytes += slow_replicas_max(*cluster) * lane;
    }
  }
  return bytes;
}

}  // namespace

bridge::BridgeSettings plan_bridge(const config::Pairing& pairing, ReplicaAddress self) {
  bridge::BridgeSettings settings;
  settings.self = self;
  for (std::uint16_t c = 0; c < pairing.clusters.size(); ++c) {
    const config::ClusterSettings& cluster = pairing.clusters[c];
    bridge::ClusterView view;
    view.cluster = ClusterIndex(c);
    view.u = cluster.faults.u;
    view.r = cluster.faults.r;
    for (const config::ReplicaSettings& replica : cluster.replicas) {
      view.weights.push_back(replica.stake);
    }
    settings.clusters.push_back(view);
  }
  for (std::uint16_t l = 0; l < pairing.links.size(); ++l) {
    const config::LinkSettings& link = pairing.links[l];
    if (touches(link, self.cluster)) {
      bridge::LinkSettings planned;
      planned.link = LinkIndex(l);
      planned.from = link.from;
      planned.to = link.to;
      planned.window_messages = link.window.messages;
      planned.window_bytes = link.window.bytes;
      settings.links.push_back(planned);
    }
  }
  if (std::ranges::any_of(pairing.clusters, [](const config::ClusterSettings& cluster) {
        return cluster.kind == config::ClusterKind::cft;
      })) {
    settings.rto_min = replica_skew;
  }
  settings.seed = (std::uint64_t{self.cluster.value} << 16) + self.replica.value + 1;
  return settings;
}

bridge::file::FileAttachmentSettings plan_file_attachment(const config::Pairing& pairing, ReplicaAddress self,
                                                          const std::filesystem::path& directory) {
  bridge::file::FileAttachmentSettings settings;
  settings.directory = directory;
  settings.cluster = pairing.clusters[self.cluster.value].name;
  settings.applies_max = 0;
  for (std::uint16_t l = 0; l < pairing.links.size(); ++l) {
    const config::LinkSettings& link = pairing.links[l];
    if (link.from == self.cluster) {
      settings.outbound.push_back({LinkIndex(l), link.include});
    } else if (link.to == self.cluster) {
      settings.inbound.push_back({LinkIndex(l), link.name});
      settings.applies_max += window_batches_max;
    }
  }
  return settings;
}

bridge::built_in::BuiltInSettings plan_built_in_attachment(const config::Pairing& pairing,
                                                           ReplicaAddress self,
                                                           const std::filesystem::path& directory) {
  bridge::built_in::BuiltInSettings settings;
  settings.directory = directory;
  settings.self = self;
  settings.epoch = Epoch(1);
  settings.read_ahead = read_ahead;
  for (std::uint16_t l = 0; l < pairing.links.size(); ++l) {
    const config::LinkSettings& link = pairing.links[l];
    if (link.from == self.cluster) {
      settings.outbound.push_back(LinkIndex(l));
    } else if (link.to == self.cluster) {
      settings.inbound.push_back({.link = LinkIndex(l), .applies_max = window_batches_max});
    }
  }
  settings.seed = (std::uint64_t{self.cluster.value} << 16) + self.replica.value + 1;
  return settings;
}

transport::ChannelSettings plan_channels(const config::Pairing& pairing, ReplicaAddress self,
                                         transport::Plane plane) {
  const bool local = plane == transport::Plane::local;
  const config::ReplicaSettings& own = pairing.clusters[self.cluster.value].replicas[self.replica.value];
  transport::ChannelSettings settings;
  settings.plane = plane;
  settings.self = self;
  settings.listen_host = transport::listen_host(own.host);
  settings.listen_port = local ? own.ports.local : own.ports.bridge;
  settings.configuration = crypto::digest_of(config::canonical_bytes(pairing));
  settings.limits = plan_limits(pairing, self, plane);
  settings.seed =
      (std::uint64_t{self.cluster.value} << 17) + (std::uint64_t{self.replica.value} << 1) + (local ? 1 : 0);
  for (const ReplicaAddress address : peers_on(pairing, self, plane)) {
    const config::ReplicaSettings& peer =
        pairing.clusters[address.cluster.value].replicas[address.replica.value];
    settings.peers.push_back({.address = address,
                              .key = peer.keys.gateway,
                              .host = peer.host,
                              .port = local ? peer.ports.local : peer.ports.bridge});
  }
  return settings;
}

std::size_t plan_pool(const config::Pairing& pairing, ReplicaAddress self) {
  // Per inbound link: what is held beyond the cursor, as much again retained for pulls, and what is being
  // checked.
  constexpr std::uint64_t checking = 8ULL * batch_bytes_max;
  constexpr std::uint64_t body = transport::frame_body_bytes_max;
  const WindowSum windows = sum_windows(pairing, self.cluster);
  const std::uint64_t peers = peers_on(pairing, self, transport::Plane::bridge).size() +
                              peers_on(pairing, self, transport::Plane::local).size();
  const std::uint64_t ahead = has_replica(pairing, self) ? windows.outbound * read_ahead * body : 0;
  return static_cast<std::size_t>(windows.outbound_bytes + ahead + 2 * windows.inbound_bytes +
                                  windows.inbound * checking + slow_lanes_bytes(pairing, self) +
                                  peers * body + pulls_per_frame_max * body);
}

MemoryPlan plan_memory(const config::Pairing& pairing, ReplicaAddress self) {
  // Slots of a link, rounded up to a power of two of its window, twice on the inbound side; and one report of
  // each replica.
  constexpr std::uint64_t slot_bytes = 128;
  constexpr std::uint64_t report_bytes = phi_bits_max / 8 + 64;
  constexpr std::uint64_t log_reader_bytes = bridge::file::record_payload_bytes_max + (512U << 10);
  constexpr std::uint64_t index_bytes = 1U << 20;
  constexpr std::uint64_t checked_bytes =
      bridge::file::CheckedEntries::bytes_max +
      bridge::file::CheckedEntries::entries_max * sizeof(bridge::file::CheckedEntry);
  const WindowSum windows = sum_windows(pairing, self.cluster);
  MemoryPlan plan;
  plan.pool = PayloadPool::memory_bytes(plan_pool(pairing, self));
  for (const transport::Plane plane : {transport::Plane::bridge, transport::Plane::local}) {
    plan.channels += transport::channel_memory_bytes(plan_limits(pairing, self, plane),
                                                     peers_on(pairing, self, plane).size());
  }
  // With the instants of those that are on their way.
  constexpr std::uint64_t instant_bytes = 2 * sizeof(Instant);
  plan.core = windows.messages * (4 * slot_bytes + instant_bytes) +
              (windows.outbound + windows.inbound) * replicas_max * report_bytes + (1U << 20);
  // A door that reads one frame and queues some, and an order for each batch of a window.
  constexpr std::uint64_t door_bytes = 1U << 20;
  plan.attachment = checked_bytes + (windows.outbound + 1) * (log_reader_bytes + index_bytes) +
                    windows.inbound * (2 * log_reader_bytes + index_bytes + window_batches_max * 160ULL);
  if (has_replica(pairing, self)) {
    plan.attachment = door_bytes + windows.inbound * window_batches_max * sizeof(bridge::Apply) +
                      windows.outbound * read_ahead * sizeof(bridge::StoredBatch);
  }
  plan.program = 48ULL << 20;
  return plan;
}

}  // namespace mallard::cli
