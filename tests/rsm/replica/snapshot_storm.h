// Seeded lives of one replica's store with snapshots on a simulated disk: it journals and executes a log,
// takes snapshots, forgets what they cover, and dies at any change of the disk; its snapshot files are
// damaged. Each time machine, links and log must come back. Checkers:
//
//   acknowledged_is_there     what was synced is in the recovered log, and nothing counts as lost
//   state_is_that_of_the_log  the machine is what executing the log up to its index gives
//   bodies_are_there          every batch that was not QUACKed is readable, with its bytes
//   damage_is_noticed         a damaged snapshot is not used, and the older one and the log behind it suffice
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm {

struct SnapshotStormOptions {
  std::uint64_t seed = 1;
  // The power goes once, during this change of the disk in the first life; else at a drawn one.
  std::optional<std::uint64_t> crash_at;
  journal::SimDisk::Loss loss = journal::SimDisk::Loss::some;
};

struct SnapshotStormOutcome {
  std::string checker;  // empty: all is well
  std::string what;
  std::uint64_t changes = 0;  // of the disk in the first life
  std::uint64_t snapshots = 0;
  std::uint64_t recovered_from_snapshots = 0;
  std::uint64_t older_used = 0;
};

[[nodiscard]] SnapshotStormOutcome run_snapshot_storm(const SnapshotStormOptions& options);

}  // namespace mallard::rsm
