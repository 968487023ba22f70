#include <gtest/gtest.h>

#include "tests/rsm/core/cft/core_cluster.h"

namespace mallard::rsm::cft {
namespace {

using memory::ProcessIndex;

TEST(CftCoreLeader, TheRingGoesRoundAndRoundWithOneReplicaDead) {
  CoreCluster cluster({.ring_bytes = 2048});
  ASSERT_TRUE(cluster.wait_for_leader());
  cluster.crash(2);
  ASSERT_TRUE(cluster.decide(800)) << cluster.failure();
  EXPECT_GT(cluster.judge().end(), 20U * 2048);
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

TEST(CftCoreLeader, WhoFellTooFarBehindTakesASnapshot) {
  CoreCluster cluster({.durability = Durability::disk, .ring_bytes = 2048});
  ASSERT_TRUE(cluster.wait_for_leader());
  cluster.crash(2);
  ASSERT_TRUE(cluster.decide(300));
  cluster.give_snapshots(false);
  cluster.restart(2);
  ASSERT_TRUE(cluster.run_until([&] { return cluster.host(2).core().needs_snapshot(); }));
  cluster.give_snapshots(true);
  ASSERT_TRUE(cluster.decide(10));
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

TEST(CftCoreLeader, ASlowFollowerIsWaitedForThenLeftBehind) {
  CoreCluster cluster({.ring_bytes = 2048});
  ASSERT_TRUE(cluster.wait_for_leader());
  cluster.host(2).set_apply_per_turn(0);
  EXPECT_TRUE(cluster.decide(300)) << cluster.failure();
  cluster.host(2).set_apply_per_turn(16);
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
}

// One write for each follower in the step that proposes, nothing else.
TEST(CftCoreLeader, TheCommonCaseIsOneWriteForEachFollower) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(1));
  cluster.run_for(Duration::milliseconds(1));
  CftCore core = cluster.leader()->core();
  memory::Domain& domain = cluster.fabric().domain(ProcessIndex(0));
  const OwnMemory memory{domain.bytes(log_region), domain.bytes(mail_region), domain.bytes(scratch_region)};
  const std::array<std::byte, 24> payload{};
  Effects effects;
  core.step({memory, Propose{7, payload}}, cluster.now(), effects);
  std::size_t writes = 0;
  for (const Effect& effect : effects) {
    const auto* post = std::get_if<Post>(&effect);
    if (post == nullptr) continue;
    EXPECT_EQ(post->region, log_region);
    EXPECT_EQ(post->bytes, 64U);
    ++writes;
  }
  EXPECT_EQ(writes, 2U);
}

// A read leaves nothing in the log, and costs one small write for each follower.
TEST(CftCoreLeader, AReadIsOneControlWriteForEachFollower) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(1));
  cluster.run_for(Duration::milliseconds(1));
  CftCore core = cluster.leader()->core();
  memory::Domain& domain = cluster.fabric().domain(ProcessIndex(0));
  const OwnMemory memory{domain.bytes(log_region), domain.bytes(mail_region), domain.bytes(scratch_region)};
  Effects effects;
  core.step({memory, AskRead{1}}, cluster.now(), effects);
  std::size_t writes = 0;
  for (const Effect& effect : effects) {
    EXPECT_FALSE(std::holds_alternative<ReadAt>(effect)) << "nobody has confirmed the reign yet";
    const auto* post = std::get_if<Post>(&effect);
    if (post == nullptr) continue;
    EXPECT_EQ(post->region, log_region);
    EXPECT_EQ(post->bytes, 16U);
    ++writes;
  }
  EXPECT_EQ(writes, 2U);
  EXPECT_EQ(core.log().end(), cluster.leader()->core().log().end());
  // What comes meanwhile shares the next round.
  effects.clear();
  core.step({memory, AskRead{2}}, cluster.now(), effects);
  EXPECT_TRUE(effects.empty());
}

TEST(CftCoreLeader, ReadsAreAnsweredOnlyWhileAMajorityConfirms) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  ASSERT_TRUE(cluster.decide(1));
  cluster.host(0).ask_read(cluster.now());
  cluster.host(1).ask_read(cluster.now());  // a follower knows nothing
  EXPECT_EQ(cluster.marks().count(sim::cft::CftMark::read_refused), 1U);
  cluster.run_for(Duration::microseconds(100));
  EXPECT_EQ(cluster.marks().count(sim::cft::CftMark::read_answered), 1U);
  cluster.crash(1);
  cluster.crash(2);
  cluster.host(0).ask_read(cluster.now());
  cluster.run_for(Duration::milliseconds(5));
  EXPECT_EQ(cluster.marks().count(sim::cft::CftMark::read_answered), 1U);
  // Who asked is not left waiting: he may find a leader elsewhere.
  cluster.run_for(Duration::milliseconds(25));
  EXPECT_EQ(cluster.marks().count(sim::cft::CftMark::read_answered), 1U);
  EXPECT_EQ(cluster.marks().count(sim::cft::CftMark::read_refused), 2U);
  EXPECT_FALSE(cluster.judge().failed()) << cluster.failure();
}

TEST(CftCoreLeader, RefusesWhatItCannotPlace) {
  CoreCluster cluster({});
  ASSERT_TRUE(cluster.wait_for_leader());
  memory::Domain& domain = cluster.fabric().domain(ProcessIndex(0));
  const OwnMemory memory{domain.bytes(log_region), domain.bytes(mail_region), domain.bytes(scratch_region)};
  const std::vector<std::byte> large(201);
  CftCore core = cluster.leader()->core();
  Effects effects;
  core.step({memory, Propose{1, large}}, cluster.now(), effects);
  ASSERT_TRUE(std::holds_alternative<Refused>(effects[0]));
  EXPECT_EQ(std::get<Refused>(effects[0]).why, Refusal::too_large);
  CftCore follower = cluster.host(1).core();
  effects.clear();
  follower.step({memory, Propose{2, {}}}, cluster.now(), effects);
  ASSERT_TRUE(std::holds_alternative<Refused>(effects[0]));
  EXPECT_EQ(std::get<Refused>(effects[0]).why, Refusal::not_leader);
}

}  // namespace
}  // namespace mallard::rsm::cft
