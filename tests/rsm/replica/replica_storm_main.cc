// replica_storm [--seeds N] [--first SEED] [--stop-at-first]
// Runs storms of a cluster and of clients and prints a line `FAIL seed=S checker=NAME ...` for each that
// fails.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "tests/rsm/replica/client_storm.h"
#include "tests/rsm/replica/replica_storm.h"

int main(int argc, char** argv) {
  CLI::App app("Storms over a cluster of replicas in virtual time");
  std::uint64_t first = 1;
  std::uint64_t seeds = 100;
  bool stop_at_first = false;
  app.add_option("--seeds", seeds, "How many");
  app.add_option("--first", first, "The first of them");
  app.add_flag("--stop-at-first", stop_at_first, "End with the first failure");
  CLI11_PARSE(app, argc, argv);
  std::uint64_t failures = 0;
  std::uint64_t crashes = 0;
  std::uint64_t installs = 0;
  std::uint64_t pauses = 0;
  std::uint64_t calls = 0;
  for (std::uint64_t seed = first; seed < first + seeds && !(stop_at_first && failures != 0); ++seed) {
    const auto outcome = mallard::rsm::run_replica_storm(seed);
    crashes += outcome.crashes;
    installs += outcome.installs;
    if (!outcome.checker.empty()) {
      ++failures;
      fmt::print("FAIL seed={} checker={} {}\n", seed, outcome.checker, outcome.what);
    }
    const auto of_clients = mallard::rsm::run_client_storm(seed);
    calls += of_clients.calls;
    pauses += of_clients.pauses;
    crashes += of_clients.crashes;
    if (!of_clients.checker.empty()) {
      ++failures;
      fmt::print("FAIL seed={} checker={} {}\n", seed, of_clients.checker, of_clients.what);
    }
  }
  fmt::print("{} crashes, {} snapshots of peers installed, {} pauses, {} calls of clients, {} failures\n",
             crashes, installs, pauses, calls, failures);
  return failures == 0 ? 0 : 1;
}
