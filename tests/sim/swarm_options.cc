#include "tests/sim/swarm_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "config/base/limits.h"

namespace mallard::sim {
namespace {

constexpr std::array<const char*, fault_count> fault_names{
    "session_reset",      "delay_spike",  "partition_sides", "partition_isolate",  "partition_one_way",
    "partition_flapping", "swizzle_clog", "crash",           "crash_without_disk", "crash_forever",
    "power_cut",          "pause",        "slow_cpu",        "slow_disk",          "log_truncated"};

template <class T, std::size_t N>
T pick(Choices& choices, const std::array<T, N>& from) {
  return from[choices.draw(Stream::options, N)];
}

bool chance(Choices& choices, std::uint64_t parts) { return choices.chance(Stream::options, parts); }

std::uint64_t between(Choices& choices, std::uint64_t low, std::uint64_t high) {
  return choices.between(Stream::options, low, high);
}

// Stakes of a cluster of n replicas: equal, one whale, or anything; sometimes huge.
void draw_weights(Choices& choices, std::size_t n, bridge::ClusterView& view) {
  const std::uint64_t kind = choices.draw(Stream::options, 6);
  const std::uint64_t scale =
      kind >= 3 ? pick<std::uint64_t>(choices, std::array{1UL, 3UL, 1'000'003UL, 1UL << 50}) : 1;
  const std::uint64_t whale = choices.draw(Stream::options, n);
  for (std::size_t i = 0; i < n; ++i) {
    std::uint64_t weight = 1;
    if (kind == 4 && i == whale) {
      weight = between(choices, 2, std::max<std::uint64_t>(2, n));
    } else if (kind == 5) {
      weight = between(choices, 1, 9);
    }
    view.weights.push_back(weight * scale);
  }
}

// One cluster in six has stakes at their most unequal: one replica with most of it and the others with one
// unit each, or so much that the others never have a turn; or one unit beside equals.
void skew_weights(Choices& choices, bridge::ClusterView& view) {
  const std::size_t n = view.size();
  if (!choices.chance(Stream::stakes, 170) || n == 1) {
    return;
  }
  const std::array<Weight, 4> heavy{n, 97, 1UL << 40, cluster_weight_max - n};
  const Weight most = heavy[choices.draw(Stream::stakes, heavy.size())];
  const std::uint64_t whale = choices.draw(Stream::stakes, n);
  const bool inverted = choices.chance(Stream::stakes, 200);
  for (std::size_t i = 0; i < n; ++i) {
    view.weights[i] = (i == whale) != inverted ? most / (inverted ? n : 1) : 1;
  }
}

// The budgets: crash (r = 0), Byzantine (u = r) or a mixture, as large as the stakes allow.
void draw_budget(Choices& choices, bridge::ClusterView& view) {
  const std::uint64_t total = view.total();
  switch (choices.draw(Stream::options, 4)) {
    case 0:
    case 1:
      view.u = (total - 1) / 2;
      break;
    case 2:
      view.r = (total - 1) / 3;
      view.u = view.r;
      break;
    default:
      view.r = between(choices, 0, (total - 1) / 3);
      view.u = (total - 1 - view.r) / 2;
  }
}

ClusterOptions draw_cluster(Choices& choices, std::uint16_t index) {
  constexpr std::array<std::size_t, 12> sizes{3, 1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 7};
  ClusterOptions cluster;
  cluster.view.cluster = ClusterIndex(index);
  cluster.view.epoch = Epoch(static_cast<std::uint32_t>(between(choices, 1, 3)));
  draw_weights(choices, pick(choices, sizes), cluster.view);
  skew_weights(choices, cluster.view);
  draw_budget(choices, cluster.view);
  return cluster;
}

// Puppets of weight up to r.
void draw_puppets(Choices& choices, ClusterOptions& cluster) {
  Weight left = cluster.view.r;
  const std::size_t n = cluster.view.size();
  const std::size_t start = choices.draw(Stream::options, n);
  for (std::size_t step = 0; step < n; ++step) {
    const std::size_t i = (start + step) % n;
    if (cluster.view.weights[i] <= left && chance(choices, 800)) {
      left -= cluster.view.weights[i];
      cluster.byzantine.push_back(static_cast<std::uint16_t>(i));
    }
  }
}

std::uint64_t draw_base(Choices& choices) {
  if (!chance(choices, 300)) {
    return 0;
  }
  const std::uint64_t edge = pick<std::uint64_t>(choices, std::array{1UL << 31, 1UL << 32, 1UL << 63});
  return edge - between(choices, 1, 200);
}

LinkShape draw_link(Choices& choices, std::uint16_t index, const SwarmOptions& options) {
  LinkShape shape;
  shape.link = LinkIndex(index);
  const std::size_t n = options.clusters.size();
  shape.from = static_cast<std::uint16_t>(choices.draw(Stream::options, n));
  shape.to = static_cast<std::uint16_t>((shape.from + 1 + choices.draw(Stream::options, n - 1)) % n);
  const auto generation = static_cast<std::uint32_t>(between(choices, 1, 4));
  shape.context = {.link = shape.link,
                   .generation = Generation(generation),
                   .source_epoch = options.clusters[shape.from].view.epoch,
                   .destination_epoch = options.clusters[shape.to].view.epoch};
  shape.fence = Fence(between(choices, 0, 2));
  shape.base_batch = draw_base(choices);
  shape.base_message = chance(choices, 300) ? draw_base(choices) : shape.base_batch;
  shape.messages_max = pick(choices, std::array{1U, 2U, 8U, 64U});
  shape.bytes_max = pick(choices, std::array{48U, 48U, 300U, 2'000U});
  if (chance(choices, 60)) {
    shape.bytes_max = 30'000;
    shape.messages_max = std::min(shape.messages_max, 8U);
  }
  shape.proof_bytes = pick(choices, std::array{0U, 8U, 100U});
  shape.salt = choices.draw(Stream::options, UINT64_MAX);
  shape.window_messages = pick(choices, std::array{64U, 1U, 3U, 16U, 64U, 128U, 256U, 512U});
  shape.window_bytes = pick(choices, std::array{4UL << 20, 1UL << 20});
  shape.commit_interval = pick(
      choices, std::array{2 * millisecond, 200 * microsecond, millisecond, 3 * millisecond, 6 * millisecond});
  shape.batches = static_cast<BatchIndex>(between(choices, 250, 900));
  return shape;
}

void draw_links(Choices& choices, SwarmOptions& options) {
  const std::uint64_t count = pick(choices, std::array{1U, 1U, 1U, 2U, 2U, 3U});
  for (std::uint16_t i = 0; i < count; ++i) {
    options.links.push_back(draw_link(choices, i, options));
    options.links.back().batches /= static_cast<BatchIndex>(count);
  }
  if (count >= 2 && chance(choices, 500)) {  // both directions
    LinkShape& back = options.links[1];
    back.from = options.links[0].to;
    back.to = options.links[0].from;
    back.context.source_epoch = options.clusters[back.from].view.epoch;
    back.context.destination_epoch = options.clusters[back.to].view.epoch;
  }
}

NetworkOptions draw_network(Choices& choices) {
  NetworkOptions network;
  network.delay_min = pick(choices, std::array{50 * microsecond, 10 * microsecond, 300 * microsecond,
                                               5 * millisecond, 30 * millisecond});
  network.delay_spread = network.delay_min * pick(choices, std::array{0UL, 1UL, 4UL, 20UL}) / 2;
  network.loss = chance(choices, 500) ? pick(choices, std::array{10UL, 1UL, 50UL, 150UL, 300UL}) : 0;
  network.duplicate = chance(choices, 400) ? pick(choices, std::array{10UL, 100UL, 500UL}) : 0;
  network.reorder = chance(choices, 400);
  network.bytes_per_us = pick(choices, std::array{1000UL, 100UL, 10UL});
  network.queue_bytes = pick(choices, std::array{1UL << 20, 64UL << 10, 256UL << 10});
  network.dial = pick(choices, std::array{2 * millisecond, 10 * millisecond, 50 * millisecond});
  network.partition_keeps_frames = chance(choices, 500);
  return network;
}

void draw_timing(Choices& choices, SwarmOptions& options) {
  options.ack_interval =
      Duration::microseconds(pick<std::int64_t>(choices, std::array{2000L, 1000L, 5000L, 10000L}));
  options.rto_min = Duration::milliseconds(pick<std::int64_t>(choices, std::array{50L, 5L, 20L, 100L, 300L}));
  options.round_backoff_max = options.rto_min * pick<std::int64_t>(choices, std::array{16L, 2L, 64L});
  options.heartbeat_interval =
      Duration::milliseconds(pick<std::int64_t>(choices, std::array{500L, 50L, 1000L}));
  options.pull_delay =
      Duration::microseconds(pick<std::int64_t>(choices, std::array{2000L, 0L, 500L, 10000L}));
  options.sync_min = pick(choices, std::array{20 * microsecond, 200 * microsecond, 2 * millisecond});
  options.sync_spread = options.sync_min * pick(choices, std::array{1UL, 0UL, 10UL});
  options.check_spread = pick(choices, std::array{0UL, 100 * microsecond, 2 * millisecond});
  options.log_lag = pick(choices, std::array{0UL, 200 * microsecond, 5 * millisecond, 40 * millisecond});
  options.fault_interval = pick(choices, std::array{60 * millisecond, 20 * millisecond, 200 * millisecond});
  options.fault_length = pick(choices, std::array{60 * millisecond, 10 * millisecond, 400 * millisecond});
}

// A world in which the protocol owes perfection: the RTO stands clear of every delay, whatever the order of
// arrival.
void make_healthy(Choices& choices, SwarmOptions& options) {
  options.healthy = true;
  options.network.loss = 0;
  options.network.duplicate = 0;
  options.network.reorder = chance(choices, 700);
  options.network.bytes_per_us = 1000;
  options.network.queue_bytes = 64UL << 20;
  options.faults.fill(false);
  options.check_spread = 0;  // a burst of more batches than can be checked at once would be dropped
  options.rto_min = Duration::milliseconds(1500);
  options.round_backoff_max = Duration::seconds(20);
  for (ClusterOptions& cluster : options.clusters) {
    cluster.byzantine.clear();
  }
}

// A window of a few batches takes a round trip for each of them: over long lines such a link would take
// hours.
void shorten_slow_links(SwarmOptions& options) {
  const bool far = options.network.delay_min + options.network.delay_spread > 20 * millisecond;
  for (LinkShape& link : options.links) {
    if (far && (link.window_messages <= 16 || link.window_bytes < 2U << 20)) {
      link.batches = std::min(link.batches, 120U);
    }
  }
}

}  // namespace

const char* name_of(Fault fault) { return fault_names.at(static_cast<std::size_t>(fault)); }

SwarmOptions draw_options(Choices& choices) {
  SwarmOptions options;
  const std::uint64_t clusters = chance(choices, 200) ? 3 : 2;
  for (std::uint16_t i = 0; i < clusters; ++i) {
    options.clusters.push_back(draw_cluster(choices, i));
  }
  draw_links(choices, options);
  options.network = draw_network(choices);
  draw_timing(choices, options);
  shorten_slow_links(options);
  for (bool& on : options.faults) {
    on = chance(choices, 500);
  }
  // A link whose log is cut cannot promise delivery, so it is rare.
  options.faults[static_cast<std::size_t>(Fault::log_truncated)] = chance(choices, 60);
  for (ClusterOptions& cluster : options.clusters) {
    draw_puppets(choices, cluster);
  }
  options.beyond_budget = chance(choices, 100);
  options.pool_bytes = (2UL << 20) + options.links.size() * 2 * (5UL << 20);
  if (chance(choices, 100)) {
    make_healthy(choices, options);
    options.beyond_budget = false;
  }
  return options;
}

std::string SwarmOptions::describe() const {
  std::string text;
  const auto out = std::back_inserter(text);
  for (const ClusterOptions& cluster : clusters) {
    fmt::format_to(out, "  cluster {}: n={} u={} r={} weights=[", cluster.view.cluster.value,
                   cluster.view.size(), cluster.view.u, cluster.view.r);
    for (const Weight weight : cluster.view.weights) {
      fmt::format_to(out, " {}", weight);
    }
    fmt::format_to(out, " ] puppets={}\n", cluster.byzantine.size());
  }
  for (const LinkShape& link : links) {
    fmt::format_to(
        out, "  link {}: {} -> {}, {} batches of up to {} x {} B after batch {}, window {}, every {} us\n",
        link.link.value, link.from, link.to, link.batches, link.messages_max, link.bytes_max, link.base_batch,
        link.window_messages, link.commit_interval / microsecond);
  }
  fmt::format_to(out, "  network: delay {}+{} us, loss {}/1000, duplicates {}/1000, reorder {}, queue {} B\n",
                 network.delay_min / microsecond, network.delay_spread / microsecond, network.loss,
                 network.duplicate, network.reorder, network.queue_bytes);
  fmt::format_to(out, "  ack {} us, rto {} ms, sync {}+{} us, lag {} us, check {} us{}{}\n",
                 ack_interval.ns / 1000, rto_min.ns / 1'000'000, sync_min / microsecond,
                 sync_spread / microsecond, log_lag / microsecond, check_spread / microsecond,
                 healthy ? ", healthy" : "", beyond_budget ? ", beyond the budget" : "");
  text += "  faults:";
  for (std::size_t i = 0; i < fault_count; ++i) {
    if (faults[i]) {
      fmt::format_to(out, " {}", fault_names[i]);
    }
  }
  text += '\n';
  return text;
}

}  // namespace mallard::sim
