// What the laboratory assumes about networks. All strategies share these numbers; nothing else about a
// network is written anywhere. What a processor takes is not here: it is measured, see calibration in
// exchange.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "bridge/wire/frame_codec.h"
#include "config/base/time.h"

namespace mallard::lab {

struct NetworkConstants {
  std::string_view name;
  // Of each replica, each way (GCP c2-standard-8, Picsou section 6).
  double nic_bits_per_second = 15e9;
  // Of each pair of replicas of different clusters, each way; 0: only the NICs limit it.
  double pair_bits_per_second = 0;
  Duration one_way_between;  // from cluster to cluster
  Duration one_way_inside;   // inside a cluster
  Duration ack_interval_min;
  Duration rto_min;
};

inline constexpr NetworkConstants lan{.name = "lan",
                                      .one_way_between = Duration::microseconds(50),
                                      .one_way_inside = Duration::microseconds(50),
                                      .ack_interval_min = Duration::microseconds(250),
                                      .rto_min = Duration::milliseconds(5)};
// US-West to Hong Kong (Picsou section 6, figure 8 ii): 170 Mbit/s a pair, RTT 133 ms.
inline constexpr NetworkConstants geo{.name = "geo",
                                      .pair_bits_per_second = 170e6,
                                      .one_way_between = Duration::microseconds(66'500),
                                      .one_way_inside = Duration::microseconds(50),
                                      .ack_interval_min = Duration::milliseconds(2),
                                      .rto_min = Duration::milliseconds(100)};

// An acknowledgement goes to every replica of both clusters, so its interval grows with their number.
inline constexpr Duration ack_interval_per_replica = Duration::microseconds(25);

// Messages share a batch until it has this many bytes; a message that is larger has one of its own.
inline constexpr std::uint32_t batch_bytes = 64U << 10;
// What travels with a batch: its frame's head, and the channel's header before that.
inline constexpr std::uint32_t channel_header_bytes = 6;
inline constexpr std::uint32_t batch_head_bytes = bridge::wire::batch_frame_head_bytes;
// A control frame of a strategy that has no codec of its own.
inline constexpr std::uint32_t control_head_bytes = 64;

// How long replicas go on talking to one that crashed.
inline constexpr Duration crash_notice = Duration::milliseconds(100);
// How long a receiver of leader-to-quorum waits for progress before it complains about the leader (GeoBFT);
// doubled with each change.
inline constexpr Duration leader_timeout = Duration::milliseconds(500);

// How much is measured: after the warm-up, so many batches or so many windows, whichever is more.
inline constexpr std::uint64_t measured_batches_min = 1'000;
inline constexpr std::uint64_t measured_windows_min = 6;
// A run that has not come so far within this simulated time is cut off.
inline constexpr Duration run_time_max = Duration::seconds(240);

}  // namespace mallard::lab
