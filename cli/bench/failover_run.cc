#include "cli/bench/failover_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <optional>
#include <vector>

#include "cli/bench/bench_cluster.h"
#include "cli/bench/percentile.h"
#include "cli/bench/scratch_folder.h"
#include "cli/replica/replica_plan.h"

namespace mallard::cli {
namespace {

constexpr std::uint16_t replicas = 3;
// Nobody here gives snapshots, so a round ends before the ring has gone round: who was passed over by leaders
// for a while still finds what it lacks.
constexpr std::uint64_t ring_bytes = 8U << 20;
constexpr Duration between_writes = Duration::microseconds(50);
constexpr Duration failover_patience = Duration::seconds(20);
// Writes of a leader before its signal: it leads in peace.
constexpr std::uint64_t steady_writes = 500;
constexpr Duration steady_patience = Duration::seconds(30);
constexpr std::uint64_t attempts_per_round = 5;

BenchClusterSettings plan(const FailoverSettings& settings, const std::filesystem::path& folder) {
  BenchClusterSettings cluster;
  cluster.wait = settings.wait;
  cluster.between_writes = between_writes;
  rsm::cft::CftSettings core = plan_core(settings.wait);
  // A follower without a core for a moment is waited for: nobody here gives snapshots to one left behind.
  core.lag_patience = Duration::seconds(60);
  cluster.replica = {.replicas = replicas,
                     .folder = folder,
                     .durability = settings.durability == config::Durability::disk
                                       ? rsm::cft::Durability::disk
                                       : rsm::cft::Durability::replicated,
                     .core = core,
                     .ring_bytes = ring_bytes,
                     .bytes = 64};
  return cluster;
}

// Everything that the one at `old` executed lies, the same, at the beginning of what the one at `other` has.
Result<void, std::string> check_prefix(const BenchCluster& cluster, std::size_t old, std::size_t other) {
  const std::uint64_t executed = cluster.seat(old).executed;
  const std::uint64_t now = cluster.seat(other).executed;
  if (now < executed) {
    return Failure<std::string>(
        fmt::format("replica {} executed {} writes, the old leader {}", other, now, executed));
  }
  if (now - executed >= BenchSeat::history_entries - 1) {
    return Failure<std::string>("too many writes since the signal to compare them");
  }
  const std::uint64_t at = executed % BenchSeat::history_entries;
  if (cluster.seat(old).history[at] != cluster.seat(other).history[at]) {
    return Failure<std::string>("the new leader executed other writes than the old one");
  }
  return {};
}

// One cluster's life; nothing where it did not come to work, or the leader changed by itself before the
// signal.
Result<std::optional<double>, std::string> measure_round(BenchCluster& cluster, int signal) {
  if (auto started = cluster.start(); !started) {
    fmt::print(stderr, "a cluster that does not count: {}\n", started.error());
    return std::optional<double>();
  }
  const std::uint64_t before = cluster.seat(cluster.leader().value_or(0)).executed;
  auto steady = cluster.wait_until(
      [&] { return cluster.seat(cluster.leader().value_or(0)).executed >= before + steady_writes; },
      steady_patience, "the leader does not execute writes");
  const std::optional<std::size_t> old = cluster.leader();
  if (!steady) {
    return Failure<std::string>(steady.error());
  }
  if (!old || cluster.reigns() != 1) {
    return std::optional<double>();
  }
  const Instant at = BenchReplica::clock();
  cluster.strike(*old, signal);
  std::optional<std::size_t> next;
  auto taken_over = cluster.wait_until(
      [&] {
        for (std::size_t i = 0; i < cluster.replicas(); ++i) {
          const std::uint64_t decided_at = cluster.seat(i).own_decided_at;
          if (i != *old && decided_at > static_cast<std::uint64_t>(at.ns)) {
            next = i;
          }
        }
        return next.has_value();
      },
      failover_patience, "nobody took over");
  if (!taken_over) {
    return Failure<std::string>(taken_over.error());
  }
  const auto decided_at = static_cast<std::int64_t>(cluster.seat(*next).own_decided_at.load());
  cluster.orders().window = 0;
  if (auto same = check_prefix(cluster, *old, *next); !same) {
    return Failure<std::string>(same.error());
  }
  if (auto drained = cluster.drain_and_compare(); !drained) {
    return Failure<std::string>(drained.error());
  }
  return std::optional(static_cast<double>(decided_at - at.ns) / 1e3);
}

Result<double, std::string> run_round(const FailoverSettings& settings, int signal,
                                      const volatile int& interrupted) {
  for (std::uint64_t attempt = 0; attempt < attempts_per_round && interrupted == 0; ++attempt) {
    const ScratchFolder folder(settings.durability);
    BenchCluster cluster(plan(settings, folder.path()), nullptr, interrupted);
    const auto took = measure_round(cluster, signal);
    cluster.stop();
    if (!took) {
      return Failure<std::string>(took.error());
    }
    if (*took) {
      return **took;
    }
  }
  return Failure<std::string>("no cluster came to work with one leader until the signal");
}

// Leaders that changed though nobody was disturbed.
Result<std::uint64_t, std::string> count_changes(const FailoverSettings& settings,
                                                 const volatile int& interrupted) {
  for (std::uint64_t attempt = 0; attempt < attempts_per_round && interrupted == 0; ++attempt) {
    const ScratchFolder folder(settings.durability);
    BenchCluster cluster(plan(settings, folder.path()), nullptr, interrupted);
    if (auto started = cluster.start(); !started) {
      fmt::print(stderr, "a cluster that does not count: {}\n", started.error());
      cluster.stop();
      continue;
    }
    const std::uint64_t before = cluster.reigns();
    auto ran = cluster.wait_for(Duration::seconds(static_cast<std::int64_t>(settings.quiet_seconds)));
    const std::uint64_t after = cluster.reigns();
    if (ran) {
      ran = cluster.drain_and_compare();
    }
    cluster.stop();
    return ran ? Result<std::uint64_t, std::string>(after - before) : Failure<std::string>(ran.error());
  }
  return Failure<std::string>("no cluster came to work");
}

void tell(const char* signal, std::vector<double> times) {
  if (!times.empty()) {
    std::sort(times.begin(), times.end());
    fmt::print(stderr, "{}: {} rounds, p50 {:.0f} us, p99 {:.0f} us\n", signal, times.size(),
               percentile(times, 0.5), percentile(times, 0.99));
  }
}

}  // namespace

Result<FailoverFigures, std::string> run_failover(const FailoverSettings& settings,
                                                  const volatile int& interrupted) {
  std::vector<double> killed;
  std::vector<double> stopped;
  for (std::uint64_t round = 0; round < settings.rounds; ++round) {
    const bool kills = round % 2 == 0;
    const auto took = run_round(settings, kills ? SIGKILL : SIGSTOP, interrupted);
    if (!took) {
      return Failure<std::string>(fmt::format("round {}: {}", round + 1, took.error()));
    }
    (kills ? killed : stopped).push_back(*took);
  }
  tell("kill -9", killed);
  tell("SIGSTOP", stopped);
  if (settings.quiet_seconds > 0) {
    const auto changes = count_changes(settings, interrupted);
    if (!changes) {
      return Failure<std::string>(changes.error());
    }
    fmt::print(stderr, "leader changes in {} s without a fault: {}\n", settings.quiet_seconds, *changes);
  }
  std::vector<double> all = killed;
  all.insert(all.end(), stopped.begin(), stopped.end());
  std::sort(all.begin(), all.end());
  return FailoverFigures{.rounds = all.size(),
                         .failover_us_p50 = percentile(all, 0.5),
                         .failover_us_p99 = percentile(all, 0.99)};
}

}  // namespace mallard::cli
