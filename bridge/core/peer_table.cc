#include "bridge/core/peer_table.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "bridge/core/quorum.h"
#include "config/base/invariant.h"

namespace mallard::bridge {

PeerTable::PeerTable(const BridgeSettings& settings)
    : self_(settings.self), clusters_(settings.clusters.size()) {
  for (std::size_t c = 0; c < settings.clusters.size(); ++c) {
    const auto cluster = ClusterIndex(static_cast<std::uint16_t>(c));
    const bool related =
        cluster == settings.self.cluster ||
        std::any_of(settings.links.begin(), settings.links.end(),
                    [&](const LinkSettings& link) { return link.from == cluster || link.to == cluster; });
    const bool hears_positions = cluster != settings.self.cluster &&
                                 std::any_of(settings.links.begin(), settings.links.end(),
                                             [&](const LinkSettings& link) { return link.to == cluster; });
    clusters_[c].begin = peers_.size();
    for (std::size_t i = 0; related && i < settings.clusters[c].size(); ++i) {
      const ReplicaAddress address{cluster, ReplicaIndex(static_cast<std::uint16_t>(i))};
      if (address != settings.self) {
        peers_.push_back(Peer{.address = address, .hears_positions = hears_positions});
      }
    }
    clusters_[c].end = peers_.size();
  }
}

// Peers lie in the order of their replicas; only self is left out.
const Peer* PeerTable::find(ReplicaAddress address) const {
  if (address == self_ || address.cluster.value >= clusters_.size()) {
    return nullptr;
  }
  const bool after_self = address.cluster == self_.cluster && address.replica > self_.replica;
  const Range range = clusters_[address.cluster.value];
  const std::size_t index = range.begin + address.replica.value - (after_self ? 1 : 0);
  return index < range.end ? &peers_[index] : nullptr;
}

Peer* PeerTable::find(ReplicaAddress address) {
  return const_cast<Peer*>(std::as_const(*this).find(address));
}

bool PeerTable::is_up(ReplicaAddress address) const {
  const Peer* peer = find(address);
  return peer != nullptr && peer->up;
}

std::span<const Peer> PeerTable::of(ClusterIndex cluster) const {
  if (cluster.value >= clusters_.size()) {
    return {};
  }
  const Range range = clusters_[cluster.value];
  return std::span<const Peer>(peers_).subspan(range.begin, range.end - range.begin);
}

std::span<Peer> PeerTable::of(ClusterIndex cluster) {
  if (cluster.value >= clusters_.size()) {
    return {};
  }
  const Range range = clusters_[cluster.value];
  return std::span<Peer>(peers_).subspan(range.begin, range.end - range.begin);
}

Delays PeerTable::delays(const ClusterView& cluster) const {
  std::array<std::uint64_t, replicas_max> round_trips{};
  std::array<std::uint64_t, replicas_max> timeouts{};
  for (const Peer& peer : of(cluster.cluster)) {
    if (peer.up) {
      round_trips[peer.address.replica.value] = static_cast<std::uint64_t>(peer.round_trip.smoothed().ns);
      timeouts[peer.address.replica.value] = static_cast<std::uint64_t>(peer.round_trip.timeout().ns);
    }
  }
  const auto backed = [&cluster](const std::array<std::uint64_t, replicas_max>& values) {
    const std::span<const std::uint64_t> known(values.data(), cluster.size());
    return Duration::nanoseconds(
        static_cast<std::int64_t>(highest_backed(known, cluster.weights, cluster.truth_threshold())));
  };
  return {backed(round_trips), backed(timeouts)};
}

void PeerTable::owe_ack(ClusterIndex first, ClusterIndex second) {
  for (Peer& peer : of(first)) {
    peer.owes_ack = true;
  }
  for (Peer& peer : of(second)) {
    peer.owes_ack = true;
  }
}

SendFrame issue_frame(Peer& peer, Instant now) {
  MALLARD_INVARIANT(peer.up);
  SendFrame frame;
  frame.to = peer.address;
  frame.stamp = stamp_at(now);
  frame.echo = peer.asked;
  if (peer.asked.value != 0) {
    frame.echo_delay_us =
        static_cast<std::uint32_t>(std::min<std::int64_t>((now - peer.asked_at).ns / 1000, UINT32_MAX));
  }
  if (peer.issued.value == 0) {
    peer.opened = frame.stamp;
  }
  peer.issued = frame.stamp;
  peer.last_sent = now;
  ++peer.counters.frames_out;
  return frame;
}

const char* book_frame(Peer& peer, const Frame& frame, Instant now, bool& overtaken) {
  ++peer.counters.frames_in;
  if (frame.echo > peer.issued) {
    return "it echoed a stamp that was never issued";
  }
  overtaken = frame.stamp < peer.reported;
  if (overtaken && !frame.acks.empty()) {
    ++peer.counters.stale_frames;
  }
  if (!frame.acks.empty()) {
    peer.reported = std::max(peer.reported, frame.stamp);
  }
  peer.heard = std::max(peer.heard, frame.stamp);
  if (frame.wants_ack && frame.stamp > peer.asked) {
    peer.asked = frame.stamp;
    peer.asked_at = now;
  }
  if (frame.echo > peer.echoed && frame.echo >= peer.opened) {
    peer.echoed = frame.echo;
    const Duration since_issue = now - issued_at(frame.echo);
    const Duration held = std::min(Duration::microseconds(frame.echo_delay_us), since_issue);
    peer.round_trip.add(since_issue - held);
  }
  return nullptr;
}

}  // namespace mallard::bridge
