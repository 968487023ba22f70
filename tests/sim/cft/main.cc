// mallard_cft_sim: runs worlds of the crash-tolerant engine from the command line.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "tests/sim/cft/cft_world.h"

namespace mallard::sim::cft {
namespace {

constexpr std::uint64_t marks_due_seeds = 2'000;
constexpr std::uint64_t determinism_every = 50;

std::uint64_t seed_at_work = 0;

// A broken invariant is a failure of the seed that met it.
void on_abort(int /*signal*/) {
  std::array<char, 128> line{};
  const int size =
      std::snprintf(line.data(), line.size(), "FAIL seed=%llu checker=invariant the program aborted\n",
                    static_cast<unsigned long long>(seed_at_work));
  if (write(STDOUT_FILENO, line.data(), static_cast<std::size_t>(size)) != size) _exit(2);
  _exit(1);
}

void print_failure(std::uint64_t seed, const CftFailure& failure) {
  fmt::print("FAIL seed={} checker={} time={}us {}\n  again: mallard_cft_sim --seed {}\n", seed,
             failure.checker, failure.at_ns / 1000, failure.detail, seed);
  std::fflush(stdout);
}

CftOutcome run_seed(std::uint64_t seed, CftMarks& marks) {
  seed_at_work = seed;
  CftOutcome outcome = run_cft_world(seed, marks, nullptr);
  if (seed % determinism_every == 0 && outcome.failure.checker.empty()) {
    CftMarks unused;
    if (run_cft_world(seed, unused, nullptr).digest != outcome.digest) {
      outcome.failure = {"determinism", "a second run did something else", 0};
    }
  }
  return outcome;
}

bool replay(std::uint64_t seed, const std::string& path) {
  std::FILE* story = path.empty() ? stdout : std::fopen(path.c_str(), "w");
  CftMarks marks;
  seed_at_work = seed;
  const CftOutcome outcome = run_cft_world(seed, marks, story);
  fmt::print("seed {}: {} events in {} us, {} entries, digest {:016x}\n", seed, outcome.events,
             outcome.ended_ns / 1000, outcome.entries, outcome.digest);
  if (!outcome.failure.checker.empty()) print_failure(seed, outcome.failure);
  if (story != stdout && story != nullptr) std::fclose(story);
  return outcome.failure.checker.empty();
}

bool campaign(std::uint64_t first, std::uint64_t seeds, bool stop_at_first) {
  CftMarks marks;
  std::uint64_t failures = 0;
  std::uint64_t events = 0;
  std::uint64_t entries = 0;
  std::uint64_t digest = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const CftOutcome outcome = run_seed(seed, marks);
    events += outcome.events;
    entries += outcome.entries;
    digest += outcome.digest * (2 * seed + 1);
    if (outcome.failure.checker.empty()) continue;
    ++failures;
    print_failure(seed, outcome.failure);
    if (stop_at_first) break;
  }
  std::size_t missed = 0;
  fmt::print("marks:\n");
  for (std::size_t i = 0; i < cft_mark_count; ++i) {
    const auto mark = static_cast<CftMark>(i);
    missed += marks.count(mark) == 0 ? 1U : 0U;
    fmt::print("  {:<34} {:>12}{}\n", name_of(mark), marks.count(mark),
               marks.count(mark) == 0 ? "  never" : "");
  }
  fmt::print("{} seeds, {} failures, {} events, {} entries\n", seeds, failures, events, entries);
  fmt::print("digest {:016x}\n", digest);
  if (seeds >= marks_due_seeds && missed > 0) {
    fmt::print("{} marks were never reached\n", missed);
    return false;
  }
  return failures == 0;
}

int run(int argc, char** argv) {
  CLI::App app("Mallard's crash-tolerant engine in simulated worlds; exits with 1 if a promise is broken");
  std::uint64_t first = 1;
  std::uint64_t seeds = 200;
  std::uint64_t one = 0;
  bool stop_at_first = false;
  std::string story;
  app.add_option("--seeds", seeds, "how many worlds")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{10'000'000}));
  app.add_option("--first", first, "the first seed");
  const auto* replaying = app.add_option("--seed", one, "run this seed and tell its story");
  app.add_option("--trace", story, "with --seed: write the story to this file");
  app.add_flag("--stop-at-first", stop_at_first, "stop at the first failure");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGABRT, on_abort);
  return (*replaying ? replay(one, story) : campaign(first, seeds, stop_at_first)) ? 0 : 1;
}

}  // namespace
}  // namespace mallard::sim::cft

int main(int argc, char** argv) { return mallard::sim::cft::run(argc, argv); }
