#include "tests/sim/lab/run_shape.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "config/base/limits.h"

namespace mallard::lab {

namespace {

constexpr std::array<std::string_view, strategies_count> strategy_words{
    "picsou", "all-to-all", "one-shot", "leader-to-leader", "leader-to-quorum"};
constexpr std::array<std::string_view, byzantine_count> byzantine_words{"none", "silent", "ack-zero",
                                                                        "ack-infinite", "ack-delay"};

// Replicas 2, 5, 8 ...: at most u of them, so at most 3u - 1, which exists.
bool is_victim(std::size_t i, std::size_t victims) { return i % 3 == 2 && i / 3 < victims; }

std::size_t share_of(double share, std::size_t n) {
  const auto wanted = static_cast<std::size_t>(share * static_cast<double>(n) + 1e-9);
  return std::min(wanted, RunShape::faults_of(n));
}

double seconds_of(Duration span) { return static_cast<double>(span.ns) / 1e9; }

}  // namespace

std::string_view word_of(Strategy strategy) { return strategy_words[static_cast<std::size_t>(strategy)]; }
std::string_view word_of(Byzantine behaviour) { return byzantine_words[static_cast<std::size_t>(behaviour)]; }

bool RunShape::source_crashes(std::size_t replica) const {
  return (crash_leader && replica == 0) || is_victim(replica, share_of(crash, from));
}
bool RunShape::destination_crashes(std::size_t replica) const {
  return is_victim(replica, share_of(crash, to));
}
bool RunShape::source_misbehaves(std::size_t replica) const {
  return byzantine == Byzantine::silent && is_victim(replica, faults_of(from));
}
bool RunShape::destination_misbehaves(std::size_t replica) const {
  return byzantine != Byzantine::none && is_victim(replica, faults_of(to));
}

std::uint16_t RunShape::batch_messages() const {
  return static_cast<std::uint16_t>(
      std::clamp<std::size_t>(batch_bytes / (bytes + 4), 1, batch_messages_max));
}

std::uint32_t RunShape::batch_payload() const { return batch_messages() * (bytes + 4); }

std::uint32_t RunShape::wire_bytes() const {
  return batch_payload() + batch_head_bytes + channel_header_bytes;
}

Duration RunShape::ack_interval() const {
  return std::max(network->ack_interval_min, ack_interval_per_replica * static_cast<std::int64_t>(from + to));
}

Loads loads_of(const RunShape& shape) {
  const auto sources = static_cast<double>(shape.from);
  const auto receivers = static_cast<double>(shape.to);
  const double chosen = static_cast<double>(RunShape::faults_of(shape.to)) + 1;
  Loads loads;
  switch (shape.strategy) {
    case Strategy::picsou:
      loads = {.source_egress = 1 / sources,
               .pair = 1 / (sources * receivers),
               .destination_ingress = 1,
               .destination_egress = (receivers - 1) / receivers};
      break;
    case Strategy::all_to_all:
      loads = {.source_egress = receivers, .pair = 1, .destination_ingress = sources};
      break;
    case Strategy::one_shot:
      loads = {.source_egress = 1 / sources,
               .pair = 1 / sources,
               .destination_ingress = std::ceil(sources / receivers) / sources};
      break;
    case Strategy::leader_to_leader:
      loads = {.source_egress = 1, .pair = 1, .destination_ingress = 1, .destination_egress = receivers - 1};
      break;
    case Strategy::leader_to_quorum:
      loads = {.source_egress = chosen,
               .pair = chosen / receivers,
               .destination_ingress = chosen,
               .destination_egress = chosen * (receivers - 1) / receivers};
      break;
  }
  loads.source_events = 1 + loads.source_egress;
  loads.destination_events = loads.destination_ingress + loads.destination_egress;
  return loads;
}

double closed_form(const RunShape& shape, double event_ns) {
  const Loads loads = loads_of(shape);
  const double bits = 8.0 * shape.wire_bytes();
  const double nic = shape.network->nic_bits_per_second / bits;
  const double busiest = std::max({loads.source_egress, loads.destination_ingress, loads.destination_egress});
  double batches = nic / busiest;
  if (shape.network->pair_bits_per_second > 0) {
    batches = std::min(batches, shape.network->pair_bits_per_second / bits / loads.pair);
  }
  const double events = std::max(loads.source_events, loads.destination_events);
  if (event_ns > 0) {
    batches = std::min(batches, 1e9 / (event_ns * events));
  }
  return batches * shape.batch_messages();
}

std::uint64_t window_batches(const RunShape& shape, double event_ns) {
  const Loads loads = loads_of(shape);
  const double bits = 8.0 * shape.wire_bytes();
  // Copies that one replica sends in a row, whatever the average over batches.
  const double fan_out =
      shape.strategy == Strategy::all_to_all || shape.strategy == Strategy::leader_to_quorum
          ? loads.source_egress
          : 1;
  const double shared = loads.destination_egress > 0 ? static_cast<double>(shape.to) - 1 : 0;
  const double copies = fan_out + loads.destination_ingress + shared + 1;
  double delay =
      seconds_of(shape.network->one_way_between) * 2 + copies * bits / shape.network->nic_bits_per_second;
  if (shape.network->pair_bits_per_second > 0) {
    delay += bits / shape.network->pair_bits_per_second;
  }
  if (shared > 0) {
    delay += seconds_of(shape.network->one_way_inside) * 2;
  }
  if (shape.strategy == Strategy::picsou) {
    delay += seconds_of(shape.ack_interval());
  }
  const double batches = closed_form(shape, event_ns) / shape.batch_messages() * delay;
  return std::max<std::uint64_t>(2 * std::max(shape.from, shape.to),
                                 static_cast<std::uint64_t>(std::ceil(2 * batches)));
}

Duration rto_min(const RunShape& shape, double event_ns) {
  const auto batches = static_cast<double>(window_batches(shape, event_ns));
  const double drained_s = batches * shape.batch_messages() / closed_form(shape, event_ns);
  return std::max(shape.network->rto_min, Duration::nanoseconds(static_cast<std::int64_t>(1e9 * drained_s)));
}

}  // namespace mallard::lab
