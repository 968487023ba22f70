#include <gtest/gtest.h>

#include "tests/rsm/core/cft/core_cluster.h"

namespace mallard::rsm::cft {
namespace {

using memory::ProcessIndex;

TEST(CftCoreLog, NothingThatWasAnsweredIsLostWhenAllLosePower) {
  CoreCluster cluster({.durability = Durability::disk});
  ASSERT_TRUE(cluster.wait_for_leader());
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(cluster.decide(20)) << cluster.failure();
    for (std::size_t i = 0; i < 3; ++i) cluster.crash(i);
    for (std::size_t i = 0; i < 3; ++i) cluster.restart(i);
    ASSERT_TRUE(cluster.wait_for_leader());
    ASSERT_GE(cluster.leader()->core().log().end().lsn, cluster.judge().answered_to());
  }
  ASSERT_TRUE(cluster.decide(1));
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

TEST(CftCoreLog, OnDiskNothingIsDecidedBeforeAMajorityHasSynced) {
  CoreCluster cluster({.durability = Durability::disk});
  ASSERT_TRUE(cluster.wait_for_leader());
  cluster.host(1).set_sync(Duration::seconds(1), Duration::seconds(1));
  cluster.host(2).set_sync(Duration::seconds(1), Duration::seconds(1));
  EXPECT_FALSE(cluster.decide(1));
}

// A reign that ends before its first entry is on the disks leaves it in the ring: they must not fill it.
TEST(CftCoreLog, DisksThatAreSlowerThanTheLeadersPatienceAreWaitedFor) {
  CoreCluster cluster({.durability = Durability::disk});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(5));
  for (std::size_t i = 0; i < 3; ++i) {
    cluster.host(i).set_sync(Duration::milliseconds(4), Duration::milliseconds(4));
  }
  ASSERT_TRUE(cluster.decide(1)) << cluster.failure();
  ASSERT_TRUE(cluster.decide(20)) << cluster.failure();
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

TEST(CftCoreLog, IdleFollowersHearOfTheLastDecision) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(1));
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); }));
  EXPECT_EQ(cluster.host(1).core().log().stable(), cluster.host(0).core().log().stable());
}

}  // namespace
}  // namespace mallard::rsm::cft
