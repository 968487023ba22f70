#include "tests/rsm/replica/journal/storm.h"
#include "tests/rsm/replica/journal/storm_program.h"

namespace mallard::rsm::journal {
namespace {

struct Campaign {
  StormProgram program{"Storms over a journal on a simulated disk", 1000};
  std::uint64_t storms = 0;
  StormMarks marks;

  void run_one(const StormOptions& options);
  void run_crash_points(std::uint64_t seed);
};

void Campaign::run_one(const StormOptions& options) {
  const StormOutcome outcome = run_storm(options);
  marks.add(outcome.marks);
  ++storms;
  if (outcome.complaint) {
    const std::string at = options.crash_at ? fmt::format(" crash_at={}", *options.crash_at) : std::string();
    program.judge(fmt::format("{}{}", options.seed, at), outcome.complaint->checker, outcome.complaint->what);
  }
}

void Campaign::run_crash_points(std::uint64_t seed) {
  const std::uint64_t changes = run_storm({.seed = seed, .crash_at = UINT32_MAX}).changes;
  for (std::uint64_t at = 0; at <= changes && !program.is_over(); ++at) {
    for (const SimDisk::Loss loss : {SimDisk::Loss::none, SimDisk::Loss::everything, SimDisk::Loss::some}) {
      run_one({.seed = seed, .crash_at = at, .loss = loss});
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
  mallard::rsm::journal::Campaign campaign;
  mallard::rsm::StormProgram& program = campaign.program;
  bool every_crash_point = false;
  program.app.add_flag(
      "--every-crash-point", every_crash_point,
      "One crash in the first life of each seed: during each change of the disk, with each loss");
  CLI11_PARSE(program.app, argc, argv);
  program.run([&](std::uint64_t seed) {
    if (every_crash_point) {
      campaign.run_crash_points(seed);
    } else {
      campaign.run_one({.seed = seed});
    }
  });
  mallard::rsm::journal::print_marks(campaign.marks);
  fmt::print("{} storms, {} failures\n", campaign.storms, program.failures);
  return program.exit_status();
}
