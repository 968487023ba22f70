#include "tests/rsm/replica/replica_storm.h"

#include <gtest/gtest.h>

namespace mallard::rsm {
namespace {

TEST(ReplicaStorm, AddsUp) {
  ReplicaStormOutcome sum;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const ReplicaStormOutcome outcome = run_replica_storm(seed);
    ASSERT_EQ(outcome.checker, "") << "seed " << seed << ": " << outcome.what;
    sum.crashes += outcome.crashes;
    sum.power_cuts += outcome.power_cuts;
    sum.wipes += outcome.wipes;
    sum.installs += outcome.installs;
    sum.damaged += outcome.damaged;
    sum.batches_in += outcome.batches_in;
    sum.batches_out += outcome.batches_out;
  }
  EXPECT_GT(sum.crashes, 25U);
  EXPECT_GT(sum.power_cuts, 5U);
  EXPECT_GT(sum.wipes, 5U);
  EXPECT_GT(sum.installs, 3U);
  EXPECT_GT(sum.damaged, 0U);
  EXPECT_GT(sum.batches_in, 100U);
  EXPECT_GT(sum.batches_out, 500U);
}

}  // namespace
}  // namespace mallard::rsm
