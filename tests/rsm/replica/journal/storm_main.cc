// journal_storm [--seeds N] [--first SEED] [--stop-at-first] [--every-crash-point]
// Runs storms and prints a line `FAIL seed=S checker=I3 ...` for each that fails.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "tests/rsm/replica/journal/storm.h"

namespace mallard::rsm::journal {
namespace {

struct Campaign {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1000;
  bool stop_at_first = false;
  bool every_crash_point = false;

  std::uint64_t storms = 0;
  std::uint64_t failures = 0;
  StormMarks marks;

  void run();
  void run_one(const StormOptions& options);
  void run_crash_points(std::uint64_t seed);
};

void Campaign::run_one(const StormOptions& options) {
  const StormOutcome outcome = run_storm(options);
  marks.add(outcome.marks);
  ++storms;
  if (outcome.complaint) {
    ++failures;
    const std::string at = options.crash_at ? fmt::format(" crash_at={}", *options.crash_at) : std::string();
    fmt::print("FAIL seed={}{} checker={} {}\n", options.seed, at, outcome.complaint->checker,
               outcome.complaint->what);
  }
}

void Campaign::run_crash_points(std::uint64_t seed) {
  const std::uint64_t changes = run_storm({.seed = seed, .crash_at = UINT32_MAX}).changes;
  for (std::uint64_t at = 0; at <= changes && !(stop_at_first && failures != 0); ++at) {
    for (const SimDisk::Loss loss : {SimDisk::Loss::none, SimDisk::Loss::everything, SimDisk::Loss::some}) {
      run_one({.seed = seed, .crash_at = at, .loss = loss});
    }
  }
}

void Campaign::run() {
  for (std::uint64_t seed = first; seed < first + seeds && !(stop_at_first && failures != 0); ++seed) {
    if (every_crash_point) {
      run_crash_points(seed);
    } else {
      run_one({.seed = seed});
    }
  }
}

void print_marks(const StormMarks& marks) {
  fmt::print(
      "{} crashes, {} of them in an opening, {} tails cut, {} unsynced groups kept, {} suffixes replaced\n",
      marks.crashes, marks.crashes_in_opening, marks.tails_cut, marks.unsynced_kept, marks.suffixes_replaced);
  fmt::print("{} times segments recycled, {} restarts after a snapshot, {} failed writes and syncs\n",
             marks.segments_recycled, marks.restarts, marks.disk_failures);
  fmt::print(
      "{} damaged middles, {} entries repaired, {} tails lost, {} superblocks lost, {} regressed, {} "
      "stores refused, {} old copies noticed\n",
      marks.damaged_middles, marks.repairs, marks.tails_lost, marks.superblocks_lost,
      marks.superblocks_regressed, marks.stores_refused, marks.old_copies_noticed);
}

}  // namespace
}  // namespace mallard::rsm::journal

int main(int argc, char** argv) {
  CLI::App app("Storms over a journal on a simulated disk");
  mallard::rsm::journal::Campaign campaign;
  app.add_option("--seeds", campaign.seeds, "How many");
  app.add_option("--first", campaign.first, "The first of them");
  app.add_flag("--stop-at-first", campaign.stop_at_first, "End with the first failure");
  app.add_flag("--every-crash-point", campaign.every_crash_point,
               "One crash in the first life of each seed: during each change of the disk, with each loss");
  CLI11_PARSE(app, argc, argv);
  campaign.run();
  mallard::rsm::journal::print_marks(campaign.marks);
  fmt::print("{} storms, {} failures\n", campaign.storms, campaign.failures);
  return campaign.failures == 0 ? 0 : 1;
}
