#include "tests/rsm/replica/snapshot_storm.h"

#include <gtest/gtest.h>

namespace mallard::rsm {
namespace {

TEST(SnapshotStorm, BringsEverythingBack) {
  SnapshotStormOutcome sum;
  for (std::uint64_t seed = 96; seed <= 224; ++seed) {
    const SnapshotStormOutcome outcome = run_snapshot_storm({.seed = seed});
    ASSERT_EQ(outcome.checker, "") << "seed " << seed << ": " << outcome.what;
    sum.snapshots += outcome.snapshots;
    sum.recovered_from_snapshots += outcome.recovered_from_snapshots;
    sum.older_used += outcome.older_used;
  }
  EXPECT_GT(sum.snapshots, 100U);
  EXPECT_GT(sum.recovered_from_snapshots, 60U);
  EXPECT_GT(sum.older_used, 12U);
}

// Also at every call between a snapshot and the truncation behind it.
TEST(SnapshotStorm, LosesNothingWhenThePowerGoesDuringAnyChangeOfTheDisk) {
  const std::uint64_t changes = run_snapshot_storm({.seed = 3, .crash_at = UINT32_MAX}).changes;
  ASSERT_GT(changes, 100U);
  for (std::uint64_t at = 0; at <= changes; ++at) {
    for (const auto loss :
         {journal::SimDisk::Loss::none, journal::SimDisk::Loss::everything, journal::SimDisk::Loss::some}) {
      const SnapshotStormOutcome outcome = run_snapshot_storm({.seed = 3, .crash_at = at, .loss = loss});
      ASSERT_EQ(outcome.checker, "") << "at " << at << ": " << outcome.what;
    }
  }
}

}  // namespace
}  // namespace mallard::rsm
