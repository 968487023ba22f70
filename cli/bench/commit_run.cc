#include "cli/bench/commit_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "cli/bench/bench_cluster.h"
#include "cli/bench/client_run.h"
#include "cli/bench/percentile.h"
#include "cli/bench/scratch_folder.h"
#include "cli/demo/child_process.h"
#include "rsm/core/cft/log_entry.h"

namespace mallard::cli {
namespace {

constexpr std::uint32_t rate_window = 256;
constexpr Duration wrap_patience = Duration::seconds(120);
constexpr int attempts_max = 3;
constexpr std::uint64_t parts = 3;  // of the time

BenchClusterSettings plan(const CommitSettings& settings, const std::filesystem::path& folder) {
  BenchClusterSettings cluster;
  cluster.wait = settings.wait;
  // A run that its leader does not finish says nothing, so replicas that lack a core for a moment are waited
  // for: a second and a half, whatever the loops do.
  rsm::cft::CftSettings core;
  core.poll_interval = Duration::milliseconds(100);
  core.stale_after = Duration::milliseconds(500);
  core.stall_after = Duration::seconds(20);
  core.rest = Duration::milliseconds(100);
  core.lag_patience = Duration::seconds(60);
  core.demand_window = Duration::seconds(60);
  cluster.replica = {.replicas = settings.replicas,
                     .folder = folder,
                     .durability = settings.durability == config::Durability::disk
                                       ? rsm::cft::Durability::disk
                                       : rsm::cft::Durability::replicated,
                     .core = core,
                     .ring_bytes = commit_ring_bytes(settings),
                     .bytes = settings.bytes};
  return cluster;
}

Result<void, std::string> measure_latency(BenchCluster& cluster, const CommitSettings& settings,
                                          const BenchSamples& samples) {
  const Duration time = Duration::milliseconds(1'000) * static_cast<std::int64_t>(settings.seconds) / parts;
  const Instant end = BenchReplica::clock() + time;
  cluster.orders().sampling = true;
  auto waited = cluster.wait_until(
      [&] { return samples.count[0] >= samples.values.size() || BenchReplica::clock() >= end; },
      time + Duration::seconds(10), "the time of sampling does not end");
  cluster.orders().sampling = false;
  return waited;
}

Result<void, std::string> measure_rate(BenchCluster& cluster, const CommitSettings& settings,
                                       std::size_t leader, CommitFigures& figures) {
  const Duration time = Duration::milliseconds(1'000) * static_cast<std::int64_t>(settings.seconds) / parts;
  cluster.orders().window = rate_window;
  const Instant began = BenchReplica::clock();
  const std::uint64_t before = cluster.seat(leader).executed;
  const Duration cpu_before = cpu_time_of_children();
  if (auto waited = cluster.wait_for(time); !waited) {
    return waited;
  }
  const auto commits = static_cast<std::int64_t>(cluster.seat(leader).executed - before);
  const Duration took = BenchReplica::clock() - began;
  if (commits <= 0) {
    return Failure<std::string>("nothing was committed with many writes under way");
  }
  figures.commits_per_second =
      static_cast<std::uint64_t>(static_cast<double>(commits) * 1e9 / static_cast<double>(took.ns));
  figures.cpu_ns_per_commit = static_cast<std::uint64_t>((cpu_time_of_children() - cpu_before).ns / commits);
  return {};
}

Result<void, std::string> measure(BenchCluster& cluster, const CommitSettings& settings,
                                  const BenchSamples& samples, CommitFigures& figures) {
  const std::size_t leader = cluster.leader().value_or(0);
  if (auto measured = measure_latency(cluster, settings, samples); !measured) {
    return measured;
  }
  if (auto measured = measure_rate(cluster, settings, leader, figures); !measured) {
    return measured;
  }
  const std::uint64_t enough = wraps_min * commit_ring_bytes(settings);
  auto wrapped = cluster.wait_until(
      [&] { return cluster.seat(leader).applied_bytes >= enough || cluster.reigns() != 1; }, wrap_patience,
      fmt::format("the ring did not go round {} times in {} s", wraps_min, wrap_patience.ns / 1'000'000'000));
  return wrapped ? cluster.drain_and_compare() : wrapped;
}

// False: the cluster did not come to work, or its leader changed, so the figures would be those of several.
Result<bool, std::string> measure_engine(const CommitSettings& settings, const volatile int& interrupted,
                                         CommitFigures& figures) {
  const ScratchFolder folder(settings.durability);
  BenchSamples samples(settings.commits);
  BenchCluster cluster(plan(settings, folder.path()), &samples, interrupted);
  if (auto started = cluster.start(); !started) {
    fmt::print(stderr, "a cluster that does not count: {}\n", started.error());
    return interrupted == 0 ? Result<bool, std::string>(false) : Failure<std::string>(started.error());
  }
  auto measured = measure(cluster, settings, samples, figures);
  const bool one_leader = cluster.reigns() == 1;
  cluster.stop();
  if (!measured && (one_leader || interrupted != 0)) {
    return Failure<std::string>(measured.error());
  }
  std::vector<std::uint32_t> sorted(samples.values.begin(), samples.values.begin() + samples.count[0].load());
  if (!one_leader || sorted.empty()) {
    return false;
  }
  std::sort(sorted.begin(), sorted.end());
  figures.commit_ns_p50 = percentile(sorted, 0.5);
  figures.commit_ns_p99 = percentile(sorted, 0.99);
  figures.commit_ns_p999 = percentile(sorted, 0.999);
  fmt::print(stderr, "{} commits one at a time; the ring of {} KiB went round {} times, all replicas agree\n",
             sorted.size(), commit_ring_bytes(settings) >> 10,
             cluster.seat(0).applied_bytes / commit_ring_bytes(settings));
  return true;
}

}  // namespace

std::uint64_t commit_ring_bytes(const CommitSettings& settings) {
  const std::uint64_t usual = settings.durability == config::Durability::disk ? 256U << 10 : 1U << 20;
  return std::max(usual, 64 * rsm::cft::entry_bytes(settings.bytes));
}

Result<CommitFigures, std::string> run_commit(const CommitSettings& settings,
                                              const volatile int& interrupted) {
  CommitFigures figures;
  bool counts = false;
  for (int attempt = 1; attempt <= attempts_max && !counts; ++attempt) {
    const auto measured = measure_engine(settings, interrupted, figures);
    if (!measured) {
      return Failure<std::string>(measured.error());
    }
    counts = *measured;
    if (!counts) {
      fmt::print(stderr, "attempt {} does not count\n", attempt);
    }
  }
  if (!counts) {
    return Failure<std::string>(
        "no attempt had one leader from start to end: this machine has too little time for it");
  }
  const auto client = run_client(
      {.durability = settings.durability,
       .replicas = settings.replicas,
       .bytes = settings.bytes,
       .time = Duration::milliseconds(1'000) * static_cast<std::int64_t>(settings.seconds) / parts},
      interrupted);
  if (!client) {
    return Failure<std::string>(client.error());
  }
  figures.client_ns_p50 = client->put_ns_p50;
  figures.client_ns_p99 = client->put_ns_p99;
  return figures;
}

}  // namespace mallard::cli
