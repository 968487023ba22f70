// The peers of one gateway and the state of the channel to each: stamps, round trips, and what it is owed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bridge/core/bridge_counters.h"
#include "bridge/core/bridge_settings.h"
#include "bridge/core/effect.h"
#include "bridge/core/frame.h"
#include "bridge/core/round_trip.h"
#include "config/base/time.h"

namespace mallard::bridge {

// The stamp of a frame that is issued at `now`, and when a stamp was issued, on the issuer's own clock.
// Rounding down makes a stamp look older than it is, never newer, so that a complaint may count late but not
// early.
inline Stamp stamp_at(Instant now) {
  return Stamp((static_cast<std::uint64_t>(now.ns) / 1000 + 1) & stamp_max);
}
inline Instant issued_at(Stamp stamp) { return Instant{static_cast<std::int64_t>((stamp.value - 1) * 1000)}; }

struct Peer {
  ReplicaAddress address;
  bool up = false;
  bool hears_positions = false;  // a link of ours leads to its cluster
  Stamp opened;                  // the first stamp sent on this channel
  Stamp issued;                  // highest stamp sent on this channel
  Stamp heard;                   // highest stamp received on this channel
  Stamp reported;                // highest stamp of a frame with acknowledgements
  Stamp asked;                   // highest stamp of a frame that wanted an acknowledgement
  Instant asked_at;              // when it came
  Stamp echoed;                  // highest stamp of ours that it echoed
  RoundTrip round_trip;
  bool owes_ack = false;  // something that this peer should hear has changed, or it asked
  Instant last_ack;       // when it was last told
  Instant last_sent;      // when it was last sent anything
  Instant last_position;  // when it was last told the positions of all links to its cluster
  PeerCounters counters;

  // What the heartbeat's interval counts from. Other frames do not stand for positions: under steady traffic
  // there would be none, and the destination would not know how far it is behind.
  [[nodiscard]] Instant last_heartbeat() const { return hears_positions ? last_position : last_sent; }
};

struct Delays {
  Duration round_trip;
  Duration timeout;
};

class PeerTable {
 public:
  // Peers are all replicas of self's own cluster but self, and all of every cluster that shares a link with
  // it.
  explicit PeerTable(const BridgeSettings& settings);

  [[nodiscard]] Peer* find(ReplicaAddress address);
  [[nodiscard]] const Peer* find(ReplicaAddress address) const;
  [[nodiscard]] bool is_up(ReplicaAddress address) const;
  // All peers of one cluster; empty for a cluster that none belongs to.
  [[nodiscard]] std::span<Peer> of(ClusterIndex cluster);
  [[nodiscard]] std::span<const Peer> of(ClusterIndex cluster) const;
  [[nodiscard]] std::span<Peer> all() { return peers_; }
  [[nodiscard]] std::span<const Peer> all() const { return peers_; }

  // How long replicas of `cluster` take to answer: the longest round trip that such of weight r + 1 back,
  // those without a channel counted as 0. So no liar can stretch a wait that is measured by it, and no lone
  // slow replica is overlooked where there are no liars.
  [[nodiscard]] Delays delays(const ClusterView& cluster) const;

  // Every replica of these clusters is owed an acknowledgement.
  void owe_ack(ClusterIndex first, ClusterIndex second);

 private:
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  ReplicaAddress self_;
  std::vector<Peer> peers_;      // grouped by cluster, by replica within it
  std::vector<Range> clusters_;  // by ClusterIndex
};

// A frame to `peer`, stamped and echoing; books it as sent. The caller adds sections.
SendFrame issue_frame(Peer& peer, Instant now);

// Books a frame that came from `peer`: stamps, echo and round trip. Returns a literal that names the
// violation, or nullptr. `overtaken` tells whether a newer report of the peer came first, so that its reports
// are old news.
const char* book_frame(Peer& peer, const Frame& frame, Instant now, bool& overtaken);

}  // namespace mallard::bridge
