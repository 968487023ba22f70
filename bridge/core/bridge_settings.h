// What a bridge core is told at start. Times and sizes here have defaults that fit a site-to-site network;
// the simulator draws them from their ranges.
#pragma once

#include <cstdint>
#include <vector>

#include "bridge/core/cluster_view.h"
#include "config/base/ids.h"
#include "config/base/time.h"

namespace mallard::bridge {

// One link that this gateway's cluster is the source or the destination of.
struct LinkSettings {
  LinkIndex link;
  ClusterIndex from;
  ClusterIndex to;
  Generation generation{1};
  Fence fence{0};
  std::uint32_t window_messages = 4096;      // 1 .. window_batches_max, un-QUACKed messages
  std::uint64_t window_bytes = 64ULL << 20;  // at least batch_bytes_max, un-QUACKed payload
  // Inbound links: where this replica's RSM stands, read from its storage.
  BatchNumber cursor;            // last batch applied and durable
  MessageNumber cursor_message;  // its last message
  bool storage_lost = false;     // this replica had a cursor before and no longer knows it
};

struct BridgeSettings {
  ReplicaAddress self;
  std::vector<ClusterView> clusters;  // indexed by ClusterIndex; those that no link touches may be empty
  std::vector<LinkSettings> links;    // only those that self's cluster is an end of
  std::uint64_t seed = 0;             // for jitter
  Duration ack_interval =
      Duration::milliseconds(2);  // 100 us .. 1 s; at most one acknowledgement per peer in it
  Duration rto_min =
      Duration::milliseconds(100);  // 1 ms .. 30 s; also covers the skew between source replicas
  Duration round_backoff_max =
      Duration::seconds(30);  // rto_min .. 10 min; the longest wait between two rounds
  Duration heartbeat_interval =
      Duration::seconds(1);                         // 10 ms .. 1 min; the longest silence on an open channel
  Duration pull_delay = Duration::milliseconds(2);  // 0 .. 1 s; a share may arrive after its advertisement
};

}  // namespace mallard::bridge
