#include "cli/bench/bench_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "rsm/core/cft/log_entry.h"
#include "rsm/replica/turn_pace.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

constexpr Duration start_patience = Duration::seconds(8);
constexpr Duration drain_patience = Duration::seconds(30);
constexpr Duration stop_patience = Duration::seconds(10);
constexpr std::uint64_t warm_up_writes = 100;
constexpr Duration slow_wrap = Duration::seconds(20);
constexpr std::size_t calls_per_turn_max = 64;

// Keeps writes under way while its replica leads, and takes the time of each where one at a time is.
class Writer {
 public:
  Writer(BenchReplica& replica, const BenchOrders& orders, BenchSamples* samples)
      : replica_(replica), orders_(orders), samples_(samples) {}

  void step() {
    if (!replica_.leads()) {
      seen_ = 0;
      proposed_at_ = {};
      return;
    }
    if (replica_.decided() != seen_) {
      seen_ = replica_.decided();
      take_sample();
    }
    const std::uint32_t window = orders_.window.load(std::memory_order_relaxed);
    while (replica_.proposed() - replica_.decided() < window) {
      const Instant now = BenchReplica::clock();
      if ((now - proposed_at_).ns < orders_.pause_ns.load(std::memory_order_relaxed) ||
          !replica_.propose(now)) {
        return;
      }
      proposed_at_ = now;
    }
  }

 private:
  void take_sample() {
    if (samples_ == nullptr || !orders_.sampling.load(std::memory_order_relaxed)) {
      return;
    }
    const std::uint64_t at = samples_->count[0].load(std::memory_order_relaxed);
    if (at < samples_->values.size()) {
      const std::int64_t took = (replica_.decided_at() - proposed_at_).ns;
      samples_->values[at] = static_cast<std::uint32_t>(std::min<std::int64_t>(took, UINT32_MAX));
      samples_->count[0].store(at + 1, std::memory_order_release);
    }
  }

  BenchReplica& replica_;
  const BenchOrders& orders_;
  BenchSamples* samples_;
  std::uint64_t seen_ = 0;
  Instant proposed_at_;
};

// Whether the log grew, and what else decides how the loop goes on.
rsm::TurnPace::Turn turn_of(const BenchReplica& replica, rsm::cft::Lsn& seen_end) {
  const rsm::Engine& engine = replica.engine();
  const rsm::cft::Lsn end = engine.core().log().end().lsn;
  const bool grew = end != seen_end;
  seen_end = end;
  return {.log_grew = grew,
          .unfinished = engine.applied().end.lsn != end,
          .knows_leader = engine.core().promise().value != 0};
}

// The work of one process.
int run_replica(const BenchReplicaSettings& settings, config::Wait wait, const BenchOrders& orders,
                BenchSeat& seat, BenchSamples* samples) {
  transport::EventLoop loop;
  std::function<void()> on_progress;
  if (wait == config::Wait::adaptive) {
    on_progress = [&loop] { loop.wake(); };
  }
  const auto replica = BenchReplica::open(settings, seat, on_progress);
  if (!replica) {
    fmt::print(stderr, "{}\n", replica.error());
    return 1;
  }
  Writer writer(**replica, orders, samples);
  rsm::TurnPace pace(wait, BenchReplica::clock());
  rsm::cft::Lsn seen_end = 0;
  while (!orders.stop.load(std::memory_order_relaxed)) {
    const Instant now = BenchReplica::clock();
    (*replica)->turn(now);
    writer.step();
    const rsm::TurnPace::Rest rest =
        pace.after(turn_of(**replica, seen_end), now, (*replica)->engine().next_deadline());
    if (rest.kind == rsm::TurnPace::Rest::Kind::yield) {
      std::this_thread::yield();
    } else if (rest.kind == rsm::TurnPace::Rest::Kind::wait) {
      loop.wait(rest.until, calls_per_turn_max);
    }
    if (const std::string why = (*replica)->failure(); !why.empty()) {
      fmt::print(stderr, "{}\n", why);
      return 1;
    }
  }
  return 0;
}

}  // namespace

BenchCluster::BenchCluster(const BenchClusterSettings& settings, BenchSamples* samples,
                           const volatile int& interrupted)
    : settings_(settings),
      samples_(samples),
      interrupted_(interrupted),
      orders_(1),
      seats_(settings.replica.replicas),
      struck_(settings.replica.replicas, false) {}

Result<void, std::string> BenchCluster::start() {
  const std::filesystem::path& folder = settings_.replica.folder;
  std::filesystem::create_directory(folder / "memory");
  for (std::uint16_t i = 0; i < settings_.replica.replicas; ++i) {
    std::filesystem::create_directory(folder / std::to_string(i));
    BenchReplicaSettings replica = settings_.replica;
    replica.self = i;
    processes_.emplace_back(
        [&, replica, i] { return run_replica(replica, settings_.wait, orders(), seats_[i], samples_); },
        log_path(i));
  }
  // Slowly until all take part: who came later would find the ring gone round, and nobody here gives
  // snapshots.
  const auto all_have = [this](std::uint64_t writes) {
    return leader() && std::all_of(seats_.begin(), seats_.end(),
                                   [=](const BenchSeat& seat) { return seat.executed >= writes; });
  };
  const auto entry = static_cast<std::int64_t>(rsm::cft::entry_bytes(settings_.replica.bytes));
  orders().pause_ns = slow_wrap.ns / (static_cast<std::int64_t>(settings_.replica.ring_bytes) / entry);
  orders().window = 1;
  if (auto begun =
          wait_until([&] { return all_have(1); }, start_patience, "the replicas did not find each other");
      !begun) {
    return begun;
  }
  orders().pause_ns = settings_.between_writes.ns;
  return wait_until([&] { return all_have(warm_up_writes); }, start_patience,
                    "the replicas did not begin to execute writes");
}

std::optional<std::size_t> BenchCluster::leader() const {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const bool leads = !struck_[i] && seats_[i].leads.load();
    if (leads && (!found || seats_[i].own_decided_at > seats_[*found].own_decided_at)) {
      found = i;
    }
  }
  return found;
}

std::uint64_t BenchCluster::reigns() const {
  std::uint64_t sum = 0;
  for (const BenchSeat& seat : seats_) {
    sum += seat.reigns;
  }
  return sum;
}

Result<void, std::string> BenchCluster::wait_for(Duration time) {
  const Instant end = BenchReplica::clock() + time;
  return wait_until([end] { return BenchReplica::clock() >= end; }, time + Duration::seconds(10), "");
}

void BenchCluster::strike(std::size_t replica, int signal) {
  struck_[replica] = true;
  processes_[replica].signal(signal);
}

Result<void, std::string> BenchCluster::drain_and_compare() {
  orders().window = 0;
  std::uint64_t before = 0;
  Instant since = BenchReplica::clock();
  const auto settled = [&] {
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      if (!struck_[i]) {
        least = std::min(least, seats_[i].executed.load());
        most = std::max(most, seats_[i].executed.load());
      }
    }
    const Instant now = BenchReplica::clock();
    if (least != most || most != before) {
      before = most;
      since = now;
    }
    return least == most && now - since > Duration::milliseconds(50);
  };
  if (auto waited = wait_until(settled, drain_patience, "a replica did not execute all writes"); !waited) {
    return waited;
  }
  std::optional<std::uint64_t> hash;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const std::uint64_t own = seats_[i].history[before % BenchSeat::history_entries];
    if (!struck_[i] && hash && own != *hash) {
      return Failure<std::string>("the replicas executed different writes");
    }
    hash = struck_[i] ? hash : own;
  }
  return {};
}

void BenchCluster::stop() {
  orders().stop = true;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    if (struck_[i] || !processes_[i].wait(stop_patience)) {
      processes_[i].kill();
    }
  }
}

std::string BenchCluster::trouble() {
  if (interrupted_ != 0) {
    return "interrupted";
  }
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    if (!struck_[i] && !processes_[i].running()) {
      return fmt::format("replica {} ended: {}", i, last_words(i));
    }
  }
  return {};
}

std::string BenchCluster::last_words(std::size_t replica) const {
  std::ifstream in(log_path(replica));
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string BenchCluster::state_text() const {
  std::string text;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    text += fmt::format("{}replica {}{}{}: {} reigns, {} writes, {} bytes of log", i == 0 ? "" : "; ", i,
                        struck_[i] ? " struck" : "", seats_[i].leads ? " leads" : "", seats_[i].reigns.load(),
                        seats_[i].executed.load(), seats_[i].applied_bytes.load());
  }
  return text;
}

std::filesystem::path BenchCluster::log_path(std::size_t replica) const {
  return settings_.replica.folder / fmt::format("{}.out", replica);
}

void BenchCluster::pause() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

}  // namespace mallard::cli
