#include "tests/rsm/replica/client_storm.h"

#include <gtest/gtest.h>

namespace mallard::rsm {
namespace {

TEST(ClientStorm, IsLinearizable) {
  ClientStormOutcome sum;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const ClientStormOutcome outcome = run_client_storm(seed);
    ASSERT_EQ(outcome.checker, "") << "seed " << seed << ": " << outcome.what;
    sum.calls += outcome.calls;
    sum.unknown += outcome.unknown;
    sum.crashes += outcome.crashes;
    sum.pauses += outcome.pauses;
    sum.leaders += outcome.leaders;
  }
  EXPECT_GT(sum.calls, 2000U);
  EXPECT_GT(sum.unknown, 20U);
  EXPECT_GT(sum.crashes, 20U);
  EXPECT_GT(sum.pauses, 20U);
  EXPECT_GT(sum.leaders, 20U);
}

}  // namespace
}  // namespace mallard::rsm
