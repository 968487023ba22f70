// Storms of a cluster and of clients, both with each seed.

#include "tests/rsm/replica/client_storm.h"
#include "tests/rsm/replica/journal/storm_program.h"
#include "tests/rsm/replica/replica_storm.h"

int main(int argc, char** argv) {
  mallard::rsm::StormProgram program("Storms over a cluster of replicas in virtual time", 100);
  CLI11_PARSE(program.app, argc, argv);
  std::uint64_t crashes = 0;
  std::uint64_t installs = 0;
  std::uint64_t pauses = 0;
  std::uint64_t calls = 0;
  program.run([&](std::uint64_t seed) {
    const auto outcome = mallard::rsm::run_replica_storm(seed);
    crashes += outcome.crashes;
    installs += outcome.installs;
    program.judge(seed, outcome.checker, outcome.what);
    const auto of_clients = mallard::rsm::run_client_storm(seed);
    calls += of_clients.calls;
    pauses += of_clients.pauses;
    crashes += of_clients.crashes;
    program.judge(seed, of_clients.checker, of_clients.what);
  });
  fmt::print("{} crashes, {} snapshots of peers installed, {} pauses, {} calls of clients, {} failures\n",
             crashes, installs, pauses, calls, program.failures);
  return program.exit_status();
}
