#include "tests/sim/campaign.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <new>

#include "config/base/invariant.h"

namespace mallard::sim {
namespace {

// The last marks are those of the puppets.
constexpr std::size_t puppet_marks = mark_count - static_cast<std::size_t>(Mark::puppet_omit_sends);
// In a campaign of this size most of them show.
constexpr std::uint64_t puppets_due_seeds = 200;

constexpr int watch_every_ms = 20;

using Clock = std::chrono::steady_clock;

// What the processes of a campaign share.
struct Board {
  std::atomic<std::uint64_t> next{0};  // the next seed to run, counted from the first
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> failures{0};
  std::atomic<std::uint64_t> events{0};
  std::atomic<std::uint64_t> digest{0};  // of all runs, whatever their order
  std::atomic<bool> stop{false};
  std::array<std::atomic<std::uint64_t>, mark_count> marks{};
  std::array<std::atomic<std::uint64_t>, campaign_jobs_max> running{};  // by process: its seed
};

// Memory that the forked processes write into together.
template <class T>
T* share(std::size_t count) {
  void* memory = mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  MALLARD_INVARIANT(memory != MAP_FAILED);
  return static_cast<T*>(memory);
}

Outcome run_seed(std::uint64_t seed, Marks& marks) {
  Choices choices(seed);
  Outcome outcome = run_world(choices, {}, marks, nullptr);
  if (seed % determinism_every == 0 && outcome.failure.checker.empty()) {
    Choices again(seed);
    Marks unused;
    const Outcome second = run_world(again, {}, unused, nullptr);
    if (second.digest != outcome.digest || second.events != outcome.events) {
      outcome.failure = {"determinism", "a second run in the same process did something else", 0};
    }
  }
  return outcome;
}

class Campaign {
 public:
  explicit Campaign(const CampaignPlan& plan)
      : plan_(plan),
        board_(new (share<Board>(1)) Board),
        events_(share<std::uint32_t>(plan.seeds)),
        started_(Clock::now()) {}
  Campaign(const Campaign&) = delete;
  Campaign& operator=(const Campaign&) = delete;
  ~Campaign() {
    munmap(events_, plan_.seeds * sizeof(std::uint32_t));
    board_->~Board();
    munmap(board_, sizeof(Board));
  }

  bool run() {
    std::vector<pid_t> children;
    for (unsigned job = 0; job < plan_.jobs; ++job) {
      children.push_back(start(job));
    }
    watch(children);
    return summarize();
  }

 private:
  pid_t start(unsigned job) {
    std::fflush(stdout);
    const pid_t child = fork();
    MALLARD_INVARIANT(child >= 0);
    if (child == 0) {
      work(job);
      std::fflush(stdout);
      _exit(0);
    }
    return child;
  }

  [[nodiscard]] bool time_is_up() const {
    return plan_.minutes != 0 && Clock::now() - started_ >= std::chrono::minutes(plan_.minutes);
  }

  void work(unsigned job) {
    for (;;) {
      const std::uint64_t number = board_->next.fetch_add(1);
      if (number >= plan_.seeds || board_->stop || time_is_up()) {
        return;
      }
      const std::uint64_t seed = plan_.first + number;
      board_->running[job] = seed;
      Marks marks;
      const Outcome outcome = run_seed(seed, marks);
      if (!outcome.failure.checker.empty()) {
        note_failure();
        print_failure(seed, outcome.failure);
      }
      for (std::size_t i = 0; i < mark_count; ++i) {
        board_->marks[i] += marks.count(static_cast<Mark>(i));
      }
      events_[number] = static_cast<std::uint32_t>(std::min<std::uint64_t>(outcome.events, UINT32_MAX));
      board_->events += outcome.events;
      board_->digest += outcome.digest * (2 * seed + 1);
      ++board_->done;
    }
  }

  void note_failure() {
    ++board_->failures;
    if (plan_.stop_at_first) {
      board_->stop = true;
    }
  }

  // Waits for the processes. One that dies has met a broken invariant, which is a failure of its seed;
  // another takes its place.
  void watch(std::vector<pid_t>& children) {
    const bool terminal = isatty(STDERR_FILENO) == 1;
    std::size_t living = children.size();
    while (living > 0) {
      for (unsigned job = 0; job < children.size(); ++job) {
        int status = 0;
        if (children[job] == 0 || waitpid(children[job], &status, WNOHANG) == 0) {
          continue;
        }
        children[job] = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
          --living;
          continue;
        }
        note_failure();
        print_failure(board_->running[job],
                      {"invariant", fmt::format("the process died with status {}", status), 0});
        children[job] = start(job);
      }
      if (terminal) {
        fmt::print(stderr, "\r{} of {} seeds, {} failures ", board_->done.load(), plan_.seeds,
                   board_->failures.load());
      }
      ::poll(nullptr, 0, watch_every_ms);
    }
    if (terminal) {
      fmt::print(stderr, "\r\033[K");
    }
  }

  bool summarize() {
    const std::uint64_t done = board_->done;
    std::vector<std::uint32_t> events(events_, events_ + plan_.seeds);
    events.erase(std::remove(events.begin(), events.end(), 0U), events.end());
    std::sort(events.begin(), events.end());
    const double seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    fmt::print("marks:\n");
    std::size_t missed = 0;
    for (std::size_t i = 0; i < mark_count; ++i) {
      const std::uint64_t count = board_->marks[i];
      missed += count == 0 ? 1 : 0;
      fmt::print("  {:<36} {:>14}{}\n", name_of(static_cast<Mark>(i)), count, count == 0 ? "  never" : "");
    }
    fmt::print("digest {:016x}\n", board_->digest.load());
    fmt::print("{} seeds, {} failures, {} events (median {} a seed), {:.0f} s\n", done,
               board_->failures.load(), board_->events.load(), events.empty() ? 0 : events[events.size() / 2],
               seconds);
    if (done >= puppets_due_seeds && puppets_with_effect() < puppet_marks / 2) {
      fmt::print("FAIL checker=marks most puppets changed nothing\n");
      return false;
    }
    if (done >= marks_due_seeds && missed != 0) {
      fmt::print("FAIL checker=marks {} marks were never reached\n", missed);
      return false;
    }
    return board_->failures == 0 && done > 0;
  }

  [[nodiscard]] std::size_t puppets_with_effect() const {
    std::size_t count = 0;
    for (std::size_t i = mark_count - puppet_marks; i < mark_count; ++i) {
      count += board_->marks[i] != 0 ? 1U : 0U;
    }
    return count;
  }

  CampaignPlan plan_;
  Board* board_;
  std::uint32_t* events_;  // by seed
  Clock::time_point started_;
};

}  // namespace

void print_failure(std::uint64_t seed, const Failure& failure) {
  // One write, so that lines of several processes do not mix.
  const std::string text =
      fmt::format("FAIL seed={} checker={} time={}us {}\n  again: mallard_sim --replay {}\n", seed,
                  failure.checker, failure.at / microsecond, failure.detail, seed);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

bool run_campaign(const CampaignPlan& plan) { return Campaign(plan).run(); }

}  // namespace mallard::sim
