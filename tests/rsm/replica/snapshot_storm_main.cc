#include "tests/rsm/replica/journal/storm_program.h"
#include "tests/rsm/replica/snapshot_storm.h"

int main(int argc, char** argv) {
  mallard::rsm::StormProgram program("Storms over the snapshots of a replica on a simulated disk", 500);
  CLI11_PARSE(program.app, argc, argv);
  std::uint64_t snapshots = 0;
  program.run([&](std::uint64_t seed) {
    const auto outcome = mallard::rsm::run_snapshot_storm({.seed = seed});
    snapshots += outcome.snapshots;
    program.judge(seed, outcome.checker, outcome.what);
  });
  fmt::print("{} snapshots, {} failures\n", snapshots, program.failures);
  return program.exit_status();
}
