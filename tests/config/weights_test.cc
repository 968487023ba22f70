#include "config/weights.h"

#include <gtest/gtest.h>

#include "config/base/limits.h"
#include "tests/config/pairings.h"

namespace mallard::config {
namespace {

TEST(Weights, SumsEndBelowTwoToThe63) {
  ClusterSettings cluster = cluster_of("east", 3, 1);
  EXPECT_EQ(total_weight(cluster), 3U);
  cluster.replicas[1].stake = cluster_weight_max - 2;
  EXPECT_EQ(total_weight(cluster), cluster_weight_max);
  cluster.replicas[1].stake = cluster_weight_max - 1;
  EXPECT_EQ(total_weight(cluster), std::nullopt);
  cluster.replicas[1].stake = UINT64_MAX;
  EXPECT_EQ(total_weight(cluster), std::nullopt);
}

TEST(Weights, ImpliedFaultsAreTheMostCrashesThatTheWeightCarries) {
  for (Weight total = 1; total <= 1000; ++total) {
    const FaultBudget faults = implied_faults(total);
    EXPECT_EQ(faults.r, 0U);
    EXPECT_LE(required_weight(faults).value(), total);
    EXPECT_GT(required_weight({.u = faults.u + 1, .r = 0}).value(), total);
  }
}

TEST(Weights, TheRequirementIsTwoUPlusRPlusOne) {
  EXPECT_EQ(required_weight({.u = 0, .r = 0}), 1U);
  EXPECT_EQ(required_weight({.u = 1, .r = 0}), 3U);
  EXPECT_EQ(required_weight({.u = 1, .r = 1}), 4U);
  EXPECT_EQ(required_weight({.u = (1ULL << 62) - 1, .r = 0}), cluster_weight_max);
  EXPECT_EQ(required_weight({.u = (1ULL << 62) - 1, .r = 1}), std::nullopt);
  EXPECT_EQ(required_weight({.u = 1ULL << 63, .r = 0}), std::nullopt) << "2u wraps to 0";
  EXPECT_EQ(required_weight({.u = 0, .r = UINT64_MAX}), std::nullopt);
}

TEST(Weights, ThresholdsLeaveNoRoomForTheFaulty) {
  EXPECT_EQ(quack_threshold({.u = 3, .r = 1}), 4U);
  EXPECT_EQ(duplicate_quack_threshold({.u = 3, .r = 1}), 2U);
}

}  // namespace
}  // namespace mallard::config
