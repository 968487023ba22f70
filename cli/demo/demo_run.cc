#include "cli/demo/demo_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "bridge/attach/file/committed_log_writer.h"
#include "bridge/attach/file/delivered_log.h"
#include "cli/demo/file_loader.h"
#include "cli/demo/replica_loader.h"
#include "cli/demo/state_comparison.h"
#include "cli/status/admin_page.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

// For the records, updates, deletes and increments; with crashes, so that fault periods are less than half of
// it.
constexpr Duration load_time = Duration::seconds(5);
constexpr Duration load_time_with_crashes = Duration::seconds(14);
constexpr Duration tick_time = Duration::milliseconds(4);
constexpr Duration down_time = Duration::milliseconds(700);  // from the kill to the restart
constexpr Duration settle_time =
    Duration::milliseconds(2'300);  // a fault period ends 2 s after the restart is ready, and
                                    // the counters on /status are up to 0.25 s old
constexpr Duration start_patience = Duration::seconds(20);
constexpr Duration stall_patience = Duration::seconds(20);  // without progress anywhere
constexpr Duration page_patience = Duration::milliseconds(300);
// No more than this share is committed before both kills have been: so a fifth is undelivered then, for
// certain.
constexpr double hold_share = 0.75;

Failure<std::string> interrupted_failure() { return Failure<std::string>("interrupted"); }

void pause(Duration span) { std::this_thread::sleep_for(std::chrono::nanoseconds(span.ns)); }

}  // namespace

DemoRun::DemoRun(const DemoSettings& settings, DemoWorkload& workload, const volatile int& interrupted)
    : settings_(settings),
      workload_(workload),
      interrupted_(interrupted),
      began_(transport::EventLoop::now()) {}

Result<DemoResult, std::string> DemoRun::run() {
  const Duration time = settings_.crash ? load_time_with_crashes : load_time;
  const double rate = static_cast<double>(workload_.size()) * 1e9 / static_cast<double>(time.ns);
  workload_.add_updates(static_cast<std::uint64_t>(rate * static_cast<double>(settings_.seconds)));
  result_.counts = workload_.counts();
  if (const auto started = start(); !started) {
    return Failure<std::string>(started.error());
  }
  if (const auto opened = open_loader(rate); !opened) {
    return Failure<std::string>(opened.error());
  }
  open_watch();
  copies_.emplace(*deployment_);
  if (settings_.crash) {
    crashes_ = {Crash{.cluster = 0, .replica = 0, .kill_at = 0.2},
                Crash{.cluster = 1, .replica = 0, .kill_at = 0.5}};
  }
  if (const auto delivered = load_and_deliver(); !delivered) {
    return Failure<std::string>(delivered.error());
  }
  if (const auto caught_up = await_source(); !caught_up) {
    return Failure<std::string>(caught_up.error());
  }
  const auto compared = compare_all();
  if (!compared) {
    return Failure<std::string>(compared.error());
  }
  result_.logs = *compared;
  take_lag();
  result_.longest_stall_s = static_cast<double>(loader_->longest_stall().ns) / 1e9;
  result_.copies_per_message = copies_->copies_per_message();
  result_.resends = copies_->resends();
  result_.elapsed_s = elapsed(transport::EventLoop::now());
  return result_;
}

Result<void, std::string> DemoRun::start() {
  auto deployment = DemoDeployment::make(settings_.root, settings_.replicas, settings_.kinds);
  if (!deployment) {
    return Failure<std::string>(deployment.error());
  }
  deployment_.emplace(std::move(*deployment));
  deployment_->start_all();
  const Instant deadline = transport::EventLoop::now() + start_patience;
  for (std::size_t i = 0; i < 2 * std::size_t{settings_.replicas};) {
    if (is_ready(i / settings_.replicas, i % settings_.replicas)) {
      ++i;
      continue;
    }
    if (const std::string dead = dead_process(); !dead.empty()) {
      return Failure<std::string>(dead);
    }
    if (interrupted_ != 0) {
      return interrupted_failure();
    }
    if (transport::EventLoop::now() > deadline) {
      return Failure<std::string>("the processes did not become ready");
    }
    pause(Duration::milliseconds(20));
  }
  tell(transport::EventLoop::now(),
       fmt::format("{} processes run: {} replicas of each cluster, a gateway beside each",
                   deployment_->processes(), settings_.replicas));
  return {};
}

Result<void, std::string> DemoRun::open_loader(double rate) {
  if (deployment_->has_replicas(0)) {
    loader_ = std::make_unique<ReplicaLoader>(workload_, deployment_->directories(0), rate);
    return {};
  }
  auto loader = FileLoader::open(workload_, deployment_->cluster_name(0), deployment_->directories(0), rate);
  if (!loader) {
    return Failure<std::string>(loader.error());
  }
  loader_ = std::move(*loader);
  return {};
}

void DemoRun::open_watch() {
  if (deployment_->has_replicas(1)) {
    replica_watch_ = std::make_unique<ReplicaWatch>(*deployment_, 1);
    watch_ = replica_watch_.get();
  } else {
    file_watch_ = std::make_unique<FileWatch>(deployment_->directories(1), deployment_->link_name(),
                                              deployment_->quack_size());
    watch_ = file_watch_.get();
  }
}

// Of files exactly, from the logs themselves. The gateways' own figure has the way back in it.
void DemoRun::take_lag() {
  result_.lag_ms_p50 = file_watch_ ? file_watch_->lag_ms(0.5) : copies_->lag_ms_p50();
  result_.lag_ms_p99 = file_watch_ ? file_watch_->lag_ms(0.99) : copies_->lag_ms_p99();
}

Result<void, std::string> DemoRun::await_source() {
  if (!deployment_->has_replicas(0)) {
    return {};
  }
  ReplicaWatch source(*deployment_, 0);
  const Instant deadline = transport::EventLoop::now() + stall_patience;
  while (source.least() < workload_.size()) {
    if (interrupted_ != 0) {
      return interrupted_failure();
    }
    if (transport::EventLoop::now() > deadline) {
      return Failure<std::string>(fmt::format("a replica of the source has {} of {} messages after {} s",
                                              source.least(), workload_.size(),
                                              stall_patience.ns / 1'000'000'000));
    }
    pause(Duration::milliseconds(50));
    if (auto looked = source.look(*loader_, transport::EventLoop::now()); !looked) {
      return looked;
    }
  }
  return {};
}

std::size_t DemoRun::victim_of(std::size_t cluster) const {
  return cluster == 0 ? loader_->leader() : replica_watch_ ? replica_watch_->leader() : 0;
}

Result<void, std::string> DemoRun::load_and_deliver() {
  const auto all_over = [this] {
    return std::ranges::all_of(crashes_, [](const Crash& crash) { return crash.step == CrashStep::over; });
  };
  progressed_at_ = transport::EventLoop::now();
  bool synced = false;
  while (watch_->least() < workload_.size() || !all_over()) {
    const Instant now = transport::EventLoop::now();
    if (auto ticked = tick(now); !ticked) {
      return ticked;
    }
    if (loader_->finished() && !synced) {
      synced = true;
      if (auto finished = loader_->finish(); !finished) {
        return finished;
      }
    }
    if (watch_->least() == workload_.size() && result_.values_per_second == 0) {
      const double took = static_cast<double>((now - loader_->started()).ns) / 1e9;
      result_.values_per_second = static_cast<double>(workload_.size()) / took;
    }
    const Instant next = now + tick_time;
    if (const Instant after = transport::EventLoop::now(); after < next) {
      pause(next - after);
    }
  }
  pause(Duration::milliseconds(300));  // so that /status counts the last copies
  copies_->begin_clean();
  tell(transport::EventLoop::now(), "every replica has everything");
  return {};
}

Result<void, std::string> DemoRun::tick(Instant now) {
  if (interrupted_ != 0) {
    return interrupted_failure();
  }
  if (auto loaded = loader_->advance(now, hold_at(), now + tick_time); !loaded) {
    return loaded;
  }
  if (auto looked = watch_->look(*loader_, transport::EventLoop::now()); !looked) {
    return looked;
  }
  // One at a time: a cluster tolerates what it tolerates.
  for (Crash& crash : crashes_) {
    if (crash.step != CrashStep::over) {
      advance(crash, now);
      break;
    }
  }
  if (const std::string dead = dead_process(); !dead.empty()) {
    return Failure<std::string>(dead);
  }
  const std::uint64_t progress = loader_->messages() + watch_->least();
  if (progress != progressed_) {
    progressed_ = progress;
    progressed_at_ = now;
  }
  const bool faults_over =
      std::ranges::all_of(crashes_, [](const Crash& crash) { return crash.step == CrashStep::over; });
  if (faults_over && now - progressed_at_ > stall_patience && watch_->least() < workload_.size()) {
    return Failure<std::string>(fmt::format("nothing moved for {} s; {} of {} messages are everywhere",
                                            stall_patience.ns / 1'000'000'000, watch_->least(),
                                            workload_.size()));
  }
  show_progress(now);
  return {};
}

void DemoRun::advance(Crash& crash, Instant now) {
  if (crash.step == CrashStep::before) {
    crash.replica = victim_of(crash.cluster);
  }
  const std::string name = deployment_->name(crash.cluster, crash.replica);
  const auto reach = [&crash, now](CrashStep step) {
    crash.step = step;
    crash.at = now;
  };
  switch (crash.step) {
    case CrashStep::before: {
      const double share = static_cast<double>(watch_->furthest()) / static_cast<double>(workload_.size());
      if (share < crash.kill_at) {
        return;
      }
      copies_->begin_fault();
      deployment_->crash(crash.cluster, crash.replica);
      const std::string what = fmt::format("killed {}{} and its gateway", name,
                                           deployment_->has_replicas(crash.cluster) ? " (leader)" : "");
      result_.faults.push_back({.at_s = elapsed(now), .what = what, .delivered_at_kill = share});
      tell(now, fmt::format("{}, {:.0f} % delivered", what, share * 100));
      return reach(CrashStep::down);
    }
    case CrashStep::down:
      if (now - crash.at >= down_time) {
        deployment_->start(crash.cluster, crash.replica);
        reach(CrashStep::starting);
      }
      return;
    case CrashStep::starting:
      if (is_ready(crash.cluster, crash.replica)) {
        crash.catch_up_to = watch_->furthest();
        reach(CrashStep::settling);
        tell(now, fmt::format("{} is back", name));
      }
      return;
    case CrashStep::settling:
      if (crash.cluster == 1 && crash.catch_up_to != 0 &&
          watch_->messages(crash.replica) >= crash.catch_up_to) {
        crash.catch_up_to = 0;
        tell(now,
             fmt::format("{} caught up in {:.1f} s", name, static_cast<double>((now - crash.at).ns) / 1e9));
      }
      if (now - crash.at >= settle_time) {
        copies_->begin_clean();
        reach(CrashStep::over);
      }
      return;
    case CrashStep::over:
      return;
  }
}

bool DemoRun::is_ready(std::size_t cluster, std::size_t replica) const {
  return fetch_page(deployment_->admin_port(cluster, replica), "/readyz", page_patience).has_value() &&
         (!deployment_->has_replicas(cluster) ||
          fetch_page(deployment_->replica_admin_port(cluster, replica), "/readyz", page_patience)
              .has_value());
}

// A process that ended without being killed, with its last words; empty when there is none.
std::string DemoRun::dead_process() {
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t r = 0; r < settings_.replicas; ++r) {
      const bool killed = std::ranges::any_of(crashes_, [c, r](const Crash& crash) {
        return crash.cluster == c && crash.replica == r && crash.step == CrashStep::down;
      });
      std::string words = killed ? "" : deployment_->last_words(c, r);
      if (!words.empty()) {
        return words;
      }
    }
  }
  return {};
}

Result<LogComparison, std::string> DemoRun::compare_all() const {
  namespace file = bridge::file;
  LogComparison sum;
  for (std::size_t c = 0; c < 2; ++c) {
    if (deployment_->has_replicas(c)) {
      auto compared = compare_states(deployment_->directories(c), workload_);
      if (!compared) {
        return compared;
      }
      sum.add(*compared);
      continue;
    }
    for (const std::filesystem::path& directory : deployment_->directories(c)) {
      auto compared = c == 0 ? compare_log(file::committed_log_path(directory), file::LogKind::committed,
                                           deployment_->cluster_name(0), workload_)
                             : compare_log(file::delivered_log_path(directory, deployment_->link_name()),
                                           file::LogKind::delivered, deployment_->link_name(), workload_);
      if (!compared) {
        return compared;
      }
      sum.add(*compared);
    }
  }
  return sum;
}

std::size_t DemoRun::hold_at() const {
  const bool kills_left =
      std::ranges::any_of(crashes_, [](const Crash& crash) { return crash.step == CrashStep::before; });
  return kills_left ? static_cast<std::size_t>(hold_share * static_cast<double>(workload_.size()))
                    : workload_.size();
}

double DemoRun::elapsed(Instant now) const { return static_cast<double>((now - began_).ns) / 1e9; }

void DemoRun::show_progress(Instant now) {
  if (::isatty(STDERR_FILENO) == 0 || now - shown_at_ < Duration::milliseconds(100)) {
    return;
  }
  shown_at_ = now;
  progress_line_ = true;
  fmt::print(stderr, "\r\033[K{:6.1f}s  committed {}  delivered everywhere {}  of {}", elapsed(now),
             loader_->messages(), watch_->least(), workload_.size());
  std::fflush(stderr);
}

void DemoRun::tell(Instant now, const std::string& what) {
  fmt::print(stderr, "{}{:6.1f}s  {}\n", progress_line_ ? "\r\033[K" : "", elapsed(now), what);
  progress_line_ = false;
}

}  // namespace mallard::cli
