// What one simulated world is like. A seed draws everything here; each seed also leaves out a random half of
// the faults, because a fault that is always on hides what happens without it (swarm testing, Groce et al.,
// ISSTA 2012).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/core/cluster_view.h"
#include "config/base/time.h"
#include "tests/sim/choices.h"
#include "tests/sim/event_heap.h"
#include "tests/sim/link_truth.h"
#include "tests/sim/marks.h"

namespace mallard::sim {

// Kinds of faults that the fault plan can inject while a world runs.
enum class Fault : std::uint8_t {
  session_reset,
  delay_spike,
  partition_sides,
  partition_isolate,
  partition_one_way,
  partition_flapping,
  swizzle_clog,
  crash,
  crash_without_disk,
  crash_forever,
  power_cut,
  pause,
  slow_cpu,
  slow_disk,
  log_truncated,
  end
};
inline constexpr std::size_t fault_count = static_cast<std::size_t>(Fault::end);
const char* name_of(Fault fault);

struct NetworkOptions {
  Nanos delay_min = 50 * microsecond;    // one way
  Nanos delay_spread = 0;                // uniform on top
  std::uint64_t loss = 0;                // parts in 1000, of frames within a session
  std::uint64_t duplicate = 0;           // likewise
  bool reorder = false;                  // frames of one lane may overtake each other
  std::uint64_t bytes_per_us = 1000;     // of one direction of one channel
  std::uint64_t queue_bytes = 1U << 20;  // a frame that does not fit is refused
  Nanos dial = 2 * millisecond;          // a closed channel is tried again after this long
  bool partition_keeps_frames =
      false;  // frames that meet a partition wait for its end; otherwise they are lost
};

struct ClusterOptions {
  bridge::ClusterView view;
  std::vector<std::uint16_t> byzantine;  // replicas that are puppets; weight at most r
  std::optional<Mark> strategy;          // what they do; otherwise each draws its own
};

struct SwarmOptions {
  std::vector<ClusterOptions> clusters;
  std::vector<LinkShape> links;
  NetworkOptions network;
  std::array<bool, fault_count> faults{};
  Nanos fault_interval = 50 * millisecond;  // mean, between two strikes
  Nanos fault_length = 100 * millisecond;   // mean
  Duration ack_interval = Duration::milliseconds(2);
  Duration rto_min = Duration::milliseconds(100);
  Duration round_backoff_max = Duration::seconds(2);
  Duration heartbeat_interval = Duration::milliseconds(500);
  Duration pull_delay = Duration::milliseconds(2);
  Nanos sync_min = 20 * microsecond;  // of a destination's disk
  Nanos sync_spread = 200 * microsecond;
  Nanos check_spread = 0;               // how late a certificate's answer may be; 0: at once
  Nanos log_lag = 0;                    // how far a source replica's log may be behind the cluster's
  std::uint64_t pool_bytes = 4U << 20;  // of each gateway
  bool healthy = false;                 // nothing is lost, nobody fails, delays stay far below the RTO
  bool beyond_budget = false;           // more faults than the clusters tolerate: only safety is promised
  std::uint64_t events_max = 150'000;   // after this many the faults end early

  [[nodiscard]] bool has(Fault fault) const { return faults[static_cast<std::size_t>(fault)]; }
  // A few lines for people.
  [[nodiscard]] std::string describe() const;
};

// Draws a world.
SwarmOptions draw_options(Choices& choices);

}  // namespace mallard::sim
