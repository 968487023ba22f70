#include <gtest/gtest.h>

#include "tests/rsm/core/cft/core_cluster.h"

namespace mallard::rsm::cft {
namespace {

using memory::ProcessIndex;

TEST(CftCoreLinks, AFailedWriteIsRepeatedOnceTheLinkLivesAgain) {
  for (const bool applied : {false, true}) {
    CoreCluster cluster({});
    ASSERT_TRUE(cluster.wait_for_leader());
    ASSERT_TRUE(cluster.decide(3));
    cluster.fabric().fail_next(ProcessIndex(0), ProcessIndex(1), applied);
    cluster.fabric().fail_next(ProcessIndex(0), ProcessIndex(2), applied);
    EXPECT_TRUE(cluster.decide(10)) << cluster.failure();
    EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
  }
}

// It begins anew, the link lives, and before anybody looks at the link it ends once more.
TEST(CftCoreLinks, AMemoryThatEndsTwiceBetweenTwoTurnsIsFoundAgain) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(3));
  const ProcessIndex leads(0);
  const ProcessIndex victim(2);
  cluster.crash(2);
  ASSERT_TRUE(cluster.run_until([&] { return !cluster.host(0).core().peer(victim).up; }));
  cluster.restart(2);
  cluster.skip(Duration::microseconds(50));
  ASSERT_FALSE(cluster.fabric().link(leads, victim).dead());
  cluster.crash(2);
  cluster.restart(2);
  ASSERT_TRUE(cluster.fabric().link(leads, victim).dead());
  ASSERT_FALSE(cluster.host(0).core().peer(victim).up);
  EXPECT_TRUE(cluster.run_until([&] { return cluster.host(0).core().peer(victim).up; }));
  ASSERT_TRUE(cluster.decide(10)) << cluster.failure();
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

TEST(CftCoreLinks, AHungMemoryIsNoticedWithoutAnyError) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  cluster.fabric().hang_memory(ProcessIndex(0), true);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.host(1).core().role() == Role::leader; }));
  cluster.fabric().hang_memory(ProcessIndex(0), false);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() != nullptr; }));
  EXPECT_TRUE(cluster.decide(10)) << cluster.failure();
}

TEST(CftCoreLinks, ASlowLinkAloneDeposesNobody) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  const Ballot reign = cluster.leader()->core().promise();
  cluster.fabric().slow(ProcessIndex(1), ProcessIndex(0), Duration::microseconds(30));
  cluster.run_for(Duration::milliseconds(20));
  ASSERT_NE(cluster.leader(), nullptr);
  EXPECT_EQ(cluster.leader()->core().promise(), reign);
}

}  // namespace
}  // namespace mallard::rsm::cft
