// What a gateway shows of itself: the object of /status and the series of /metrics.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/attach/built_in/built_in_attachment.h"
#include "bridge/gateway/gateway.h"
#include "bridge/gateway/latency_watch.h"
#include "cli/gateway/lag_clock.h"
#include "config/pairing.h"
#include "transport/admin/admin_snapshot.h"
#include "transport/channel/channel_set.h"

namespace mallard::cli {

// Everything is read when a snapshot is taken, and outlives the report. Either set of channels may be absent,
// and the replica where others run the cluster. A process that waits for its replica has no gateway and no
// latencies yet; a report needs both.
struct GatewaySources {
  const config::Pairing& pairing;
  ReplicaAddress self;
  const bridge::Gateway* gateway = nullptr;
  const bridge::LatencyWatch* latencies = nullptr;
  const PayloadPool& pool;
  const transport::ChannelSet* bridge_channels = nullptr;
  const transport::ChannelSet* local_channels = nullptr;
  const bridge::built_in::BuiltInAttachment* replica = nullptr;
  Incarnation incarnation;
  std::uint64_t memory_limit = 0;  // of the printed formula
};

// One link as people see it, whichever end is ours. Numbers that its end does not know are 0.
struct LinkView {
  LinkIndex link;
  bool outbound = false;
  // waiting_for_replica, learning, needs_snapshot, destination_reset, waiting_for_source, fetching, fenced,
  // active
  std::string state;
  std::string waiting_for;  // empty when active
  double state_seconds = 0;
  double state_timestamp = 0;  // Unix time, in seconds, when it came into the state; 0: not known
  std::uint64_t committed_batch = 0;
  std::uint64_t committed_message = 0;
  std::uint64_t done_batch = 0;  // QUACKed at the source, applied at the destination
  std::uint64_t done_message = 0;
  std::uint64_t between_batch = 0;  // handed to the protocol at the source, received at the destination
  std::uint64_t window_bytes = 0;
  double lag_seconds = 0;
  double oldest_timestamp =
      0;  // Unix time, in seconds, when the oldest message that is not done came; 0: none
  double heard_timestamp = 0;  // Unix time, in seconds, of the last word from the other cluster; 0: never
};

// One peer as people see it.
struct PeerView {
  ReplicaAddress address;
  bool up = false;
  double since_seconds = 0;
  double rtt_seconds = -1;  // negative: not known
  std::string last_error;
};

class GatewayReport {
 public:
  GatewayReport(const GatewaySources& sources, Instant started);

  // Looks at positions; call it often (it is cheap): what it sees is how lag is told in seconds.
  void observe(Instant now);
  [[nodiscard]] transport::AdminSnapshot snapshot(Instant now);

 private:
  struct LinkWatch {
    LinkView view;
    LagClock lag_clock;
    Instant state_since;
    std::uint64_t frames_heard = 0;  // from the other cluster, when it was looked at last
    Instant heard_at;                // when there were more
  };
  struct PeerWatch {
    PeerView view;
    Instant since;
  };

  void look_at(LinkWatch& watch, Instant now) const;
  void look_at(PeerWatch& watch, Instant now) const;
  [[nodiscard]] std::size_t peers_up(ClusterIndex cluster) const;
  [[nodiscard]] std::uint64_t frames_from(ClusterIndex cluster) const;
  [[nodiscard]] std::string status_json(Instant now) const;

  GatewaySources sources_;
  Instant started_;
  std::vector<LinkWatch> links_;
  std::vector<PeerWatch> peers_;
};

// What a process shows that waits for its replica, so that it has no gateway and no link yet: every series is
// there, at 0.
[[nodiscard]] transport::AdminSnapshot waiting_snapshot(const GatewaySources& sources);

// The series, all of them from the start; without a gateway its counters are 0.
[[nodiscard]] std::vector<transport::MetricSample> gateway_metrics(const GatewaySources& sources,
                                                                   const std::vector<LinkView>& links,
                                                                   const std::vector<PeerView>& peers);

}  // namespace mallard::cli
