// What one measured run is about, and what follows from it on paper: loads, closed form, window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/base/ids.h"
#include "config/base/time.h"
#include "tests/sim/lab/constants.h"

namespace mallard::lab {

enum class Strategy : std::uint8_t { picsou, all_to_all, one_shot, leader_to_leader, leader_to_quorum };
inline constexpr std::size_t strategies_count = 5;

// How replicas of weight r in each cluster misbehave.
//   silent         (both clusters) takes what it gets and never says or shares anything
//   ack_zero       (destination) acknowledges nothing, ever
//   ack_infinite   (destination) acknowledges what does not exist yet
//   ack_delay      (destination) acknowledges 256 batches less than it has
enum class Byzantine : std::uint8_t { none, silent, ack_zero, ack_infinite, ack_delay };
inline constexpr std::size_t byzantine_count = 5;

// The words of the command line.
[[nodiscard]] std::string_view word_of(Strategy strategy);
[[nodiscard]] std::string_view word_of(Byzantine behaviour);

struct RunShape {
  Strategy strategy = Strategy::picsou;
  std::size_t from = 4;  // replicas of the source, 1 .. 64
  std::size_t to = 4;
  std::uint32_t bytes = 100;  // of a message
  const NetworkConstants* network = &lan;
  double crash = 0;  // share of the replicas of both clusters, rounded down to at most u
  Byzantine byzantine = Byzantine::none;
  double cpu_factor = 1;
  // For tests. The first replica of the source, which leads it, crashes too.
  bool crash_leader = false;
  std::uint64_t measured_batches = 0;  // 0: as the constants say

  // u = r of a cluster of n equal replicas.
  [[nodiscard]] static std::size_t faults_of(std::size_t n) { return (n - 1) / 3; }
  [[nodiscard]] bool has_crashes() const { return crash > 0 || crash_leader; }
  // Whether a replica crashes during the warm-up: 2, 5, 8 ... do (the paper's choice), so never the first
  // leader.
  [[nodiscard]] bool source_crashes(std::size_t replica) const;
  [[nodiscard]] bool destination_crashes(std::size_t replica) const;
  // Likewise for those that misbehave.
  [[nodiscard]] bool source_misbehaves(std::size_t replica) const;
  [[nodiscard]] bool destination_misbehaves(std::size_t replica) const;

  [[nodiscard]] std::uint16_t batch_messages() const;
  [[nodiscard]] std::uint32_t batch_payload() const;  // bytes: each message has its length before it
  [[nodiscard]] std::uint32_t wire_bytes() const;     // of a frame with a batch
  [[nodiscard]] Duration ack_interval() const;
};

// What one batch costs the busiest replica, in copies of the batch and in processor events. An event is: a
// batch taken from the log, a frame sent, a frame received.
struct Loads {
  double source_egress = 0;
  double pair = 0;
  double destination_ingress = 0;
  double destination_egress = 0;
  double source_events = 0;
  double destination_events = 0;
};

// Without faults.
[[nodiscard]] Loads loads_of(const RunShape& shape);

// Messages per second that no run of this shape can exceed: the least of what NICs, pairs and processors
// carry. `event_ns` is the processor time of one event.
[[nodiscard]] double closed_form(const RunShape& shape, double event_ns);

// Twice the bandwidth-delay product: what the closed form carries from the commit of a batch until its sender
// can know that it arrived everywhere. In batches.
[[nodiscard]] std::uint64_t window_batches(const RunShape& shape, double event_ns);

// What Picsou's rto_min is set to: what a full window takes to drain. Half of that a batch has to wait inside
// the destination, where no round trip that a sender measures shows it.
[[nodiscard]] Duration rto_min(const RunShape& shape, double event_ns);

}  // namespace mallard::lab
