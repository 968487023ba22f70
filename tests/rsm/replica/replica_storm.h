// Seeded lives of a whole cluster in virtual time: clients write, batches come in and go out over links,
// replicas lose power, disks and messages, fall behind and install snapshots. In the end all of it must add
// up. Checkers:
//
//   comes_back    every replica takes part again
//   linearizable  what clients were told is what one machine would have told them (witness_checker.h)
//   states_agree  all replicas have the same state
//   applied_once  every inbound batch was applied, and once
//   links_resume  every batch that was not QUACKed can be read at every replica, with the same bytes
#pragma once

#include <cstdint>
#include <string>

namespace mallard::rsm {

struct ReplicaStormOutcome {
  std::string checker;  // empty: all is well
  std::string what;
  std::uint64_t crashes = 0;
  std::uint64_t power_cuts = 0;  // of all at once, with writes under way
  std::uint64_t wipes = 0;
  std::uint64_t installs = 0;
  std::uint64_t damaged = 0;  // snapshots that came damaged from a peer
  std::uint64_t batches_out = 0;
  std::uint64_t batches_in = 0;
};

[[nodiscard]] ReplicaStormOutcome run_replica_storm(std::uint64_t seed);

}  // namespace mallard::rsm
