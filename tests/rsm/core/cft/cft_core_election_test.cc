#include <gtest/gtest.h>

#include "tests/rsm/core/cft/core_cluster.h"

namespace mallard::rsm::cft {
namespace {

using memory::ProcessIndex;

TEST(CftCoreElection, GoesOnWithoutAnyMinorityThatIsTrulyDead) {
  for (const std::size_t size : {3U, 5U}) {
    CoreCluster cluster({.processes = size, .members = size});
    ASSERT_TRUE(cluster.wait_for_leader());
    ASSERT_TRUE(cluster.decide(10));
    for (std::size_t i = 0; i < (size - 1) / 2; ++i) {
      cluster.crash(i);
      ASSERT_TRUE(cluster.decide(10)) << i << cluster.failure();
    }
    EXPECT_EQ(cluster.leader()->self().value, (size - 1) / 2);
  }
}

TEST(CftCoreElection, AMinorityDecidesNothing) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  cluster.crash(1);
  cluster.crash(2);
  EXPECT_FALSE(cluster.decide(1));
  EXPECT_FALSE(cluster.judge().failed());
}

TEST(CftCoreElection, ALeaderThatWasPausedForLongChangesNothing) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(10));
  cluster.host(0).request(1'000'000, 40);  // is on its way when it pauses, or not
  cluster.judge().issued(1'000'000, 40);
  cluster.run_for(Duration::microseconds(5));
  cluster.pause(0, true);
  ASSERT_TRUE(cluster.decide(50)) << cluster.failure();
  cluster.pause(0, false);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.leader() != nullptr; }));
  ASSERT_TRUE(cluster.decide(20)) << cluster.failure();
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

TEST(CftCoreElection, AReplicaThatLostItsLogComesBackAndVotesAgain) {
  for (const Durability durability : {Durability::replicated, Durability::disk}) {
    CoreCluster cluster({.durability = durability});
    ASSERT_TRUE(cluster.wait_for_leader());
    ASSERT_TRUE(cluster.decide(10));
    cluster.crash(2, false);
    ASSERT_TRUE(cluster.decide(5));
    cluster.restart(2);
    EXPECT_TRUE(cluster.host(2).core().recovering());
    ASSERT_TRUE(cluster.run_until([&] { return !cluster.host(2).core().recovering(); })) << cluster.failure();
    cluster.crash(0);
    EXPECT_TRUE(cluster.decide(10)) << cluster.failure();
  }
}

TEST(CftCoreElection, WhoLostItsLogDoesNotVoteBeforeAReignIsThere) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(10));
  cluster.crash(0);
  cluster.crash(2);
  cluster.restart(2);
  EXPECT_FALSE(cluster.decide(1)) << "two of three forgot: nobody may lead";
  EXPECT_TRUE(cluster.host(2).core().recovering());
}

// Replica 1 has promised itself a reign that never came about, and then the only follower dies: the leader
// takes replica 1 in, and whoever asked it for something is answered.
TEST(CftCoreElection, ALeaderTakesInWhoPromisedMoreAndGivesNothingUp) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(5));
  cluster.fabric().cut(ProcessIndex(1), ProcessIndex(0), true);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.host(1).core().role() == Role::candidate; }));
  ASSERT_EQ(cluster.host(0).core().role(), Role::leader);
  cluster.fabric().cut(ProcessIndex(1), ProcessIndex(0), false);
  cluster.crash(2);
  const std::uint64_t answers = cluster.judge().answers();
  for (std::uint64_t id = 1'000'000; id < 1'000'003; ++id) {
    cluster.judge().issued(id, 40);
    cluster.host(0).request(id, 40);
  }
  EXPECT_TRUE(cluster.run_until([&] { return cluster.judge().answers() == answers + 3; }))
      << cluster.failure();
  EXPECT_EQ(cluster.marks().count(sim::cft::CftMark::deposed_with_open_proposals), 0U);
  EXPECT_EQ(cluster.host(0).core().role(), Role::leader);
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

// Replica 1 does not see the leader for a while and stands for election in vain.
TEST(CftCoreElection, WhoStoodInVainIsTakenInAfterAFewLooks) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(5));
  const auto takes_part = [&] { return cluster.host(0).core().peer(ProcessIndex(1)).admitted; };
  cluster.fabric().cut(ProcessIndex(1), ProcessIndex(0), true);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.host(1).core().role() == Role::candidate; }));
  cluster.fabric().cut(ProcessIndex(1), ProcessIndex(0), false);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.host(1).core().role() == Role::follower; }));
  ASSERT_FALSE(takes_part());
  const Instant since = cluster.now();
  ASSERT_TRUE(cluster.run_until(takes_part));
  EXPECT_LT(cluster.now() - since, Duration::milliseconds(1)) << "a slow follower has two of them";
  EXPECT_EQ(cluster.marks().count(sim::cft::CftMark::lead_renewed), 1U);
  EXPECT_EQ(cluster.leader()->self(), ProcessIndex(0));
}

// It stands for election again and again, for the leader sees it but is not seen. The lead is renewed once
// for each time that it gives up, and each such time is twice as long as the one before.
TEST(CftCoreElection, WhoNeverSeesTheLeaderCausesNoStormOfRenewals) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(5));
  cluster.fabric().cut(ProcessIndex(1), ProcessIndex(0), true);
  const Instant end = cluster.now() + Duration::milliseconds(60);
  while (cluster.now() < end) {
    ASSERT_TRUE(cluster.decide(5)) << cluster.failure();
    cluster.run_for(Duration::milliseconds(1));
  }
  EXPECT_EQ(cluster.host(0).core().role(), Role::leader);
  EXPECT_GE(cluster.marks().count(sim::cft::CftMark::lead_renewed), 2U);
  EXPECT_LE(cluster.marks().count(sim::cft::CftMark::lead_renewed), 6U);
  EXPECT_EQ(cluster.marks().count(sim::cft::CftMark::deposed_with_open_proposals), 0U);
  cluster.fabric().cut(ProcessIndex(1), ProcessIndex(0), false);
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

TEST(CftCoreElection, ALeaderThatDripsIsReplaced) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  cluster.host(0).set_drip(Duration::milliseconds(300));
  const Ballot reign = cluster.leader()->core().promise();
  for (int i = 0; i < 5000 && cluster.host(1).core().accused() != reign; ++i) {
    for (std::size_t k = 0; k < 3; ++k) cluster.host(k).demand(1, cluster.now());
    cluster.run_for(Duration::microseconds(100));
  }
  ASSERT_TRUE(
      cluster.run_until([&] { return cluster.leader() != nullptr && cluster.leader()->self().value != 0; }));
  EXPECT_TRUE(cluster.decide(20)) << cluster.failure();
}

}  // namespace
}  // namespace mallard::rsm::cft
