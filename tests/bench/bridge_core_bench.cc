// What C3B itself costs: all gateways of two clusters on one core, without sockets, threads or cryptography.
// One message is delivered when every replica of the destination has applied it and every replica of the
// source has seen its QUACK.
#include <benchmark/benchmark.h>

#include "bridge/core/share_walk.h"
#include "tests/bridge/core/core_exchange.h"
#include "tests/support/alloc_guard.h"

namespace mallard::bridge {
namespace {

// Arguments: replicas of each cluster, messages per batch, codec (1) or structs (0), loss in a million.
void exchange(benchmark::State& state) {
  const ExchangeOptions options{.replicas = static_cast<std::size_t>(state.range(0)),
                                .messages_per_batch = static_cast<std::uint16_t>(state.range(1)),
                                .loss_in_million = static_cast<std::uint64_t>(state.range(3)),
                                .codec = state.range(2) != 0};
  CoreExchange gateways(options);
  constexpr std::uint64_t batches_per_iteration = 2'000;
  std::uint64_t batches = 10'000;  // the start is not measured
  bool finished = gateways.run_until(batches);
  const std::uint64_t first = gateways.applied();
  const Traffic before = gateways.traffic();
  const support::AllocGuard guard;
  for (auto _ : state) {
    batches += batches_per_iteration;
    finished = finished && gateways.run_until(batches);
  }
  const auto allocations = static_cast<double>(guard.allocations());
  if (!finished || gateways.applied_wrongly() != 0) {
    state.SkipWithError("not everything was delivered, once and in order");
    return;
  }
  const Traffic after = gateways.traffic();
  const auto delivered = static_cast<double>(gateways.applied() - first);
  using benchmark::Counter;
  state.counters["batches/s"] = Counter(delivered, Counter::kIsRate);
  state.counters["messages/s"] = Counter(delivered * options.messages_per_batch, Counter::kIsRate);
  state.counters["time/batch"] = Counter(delivered, Counter::kIsRate | Counter::kInvert);
  state.counters["allocations"] = allocations;
  state.counters["copies/batch"] = static_cast<double>(after.copies - before.copies) / delivered;
  state.counters["frames/batch"] = static_cast<double>(after.frames_between - before.frames_between +
                                                       after.frames_inside - before.frames_inside) /
                                   delivered;
}

BENCHMARK(exchange)
    ->ArgNames({"n", "batch", "codec", "loss"})
    ->Args({4, 1, 0, 0})
    ->Args({4, 1, 1, 0})
    ->Args({4, 128, 0, 0})
    ->Args({4, 128, 1, 0})
    ->Args({4, 128, 1, 10'000})
    ->Args({7, 128, 1, 0})
    ->Args({19, 128, 1, 0})
    ->Unit(benchmark::kMillisecond);

// Whose turn a batch is, at each of its replicas. Arguments: replicas of each cluster; stakes: 0 equal, 1 one
// replica with nearly all, so that rotations have 1,024 slots.
ClusterView cluster_of(std::int64_t replicas, bool whale) {
  ClusterView view;
  for (std::int64_t i = 0; i < replicas; ++i) {
    view.weights.push_back(whale && i == 0 ? 1ULL << 40 : 1);
  }
  view.u = (view.total() - 1) / 3;
  return view;
}

void turn(benchmark::State& state) {
  const ClusterView cluster = cluster_of(state.range(0), state.range(1) != 0);
  const ShareWalk walk(cluster, cluster);
  std::uint64_t batch = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(walk.pair(BatchNumber(++batch), 0));
  }
}

BENCHMARK(turn)->ArgNames({"n", "stakes"})->Args({4, 0})->Args({4, 1})->Args({64, 0})->Args({64, 1});

// What a link's walks cost at start.
void plan(benchmark::State& state) {
  const ClusterView cluster = cluster_of(state.range(0), state.range(1) != 0);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ShareWalk(cluster, cluster).longest());
  }
}

BENCHMARK(plan)
    ->ArgNames({"n", "stakes"})
    ->Args({4, 0})
    ->Args({4, 1})
    ->Args({64, 0})
    ->Args({64, 1})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace mallard::bridge
