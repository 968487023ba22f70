#include "rsm/replica/engine.h"

#include <gtest/gtest.h>

#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/replica_stage.h"
#include "tests/support/alloc_guard.h"

namespace mallard::rsm {
namespace {

TEST(Engine, NumbersCommandsAlikeOnAllReplicas) {
  EXPECT_EQ(commit_index(640).value, 10U);
  ReplicaStage stage;
  std::uint64_t last = 0;
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t index = stage.call(put("key", std::to_string(i))).index;
    EXPECT_GT(index, last);
    last = index;
  }
  stage.expect_equal_states();
  const LogPlace applied = stage.replica(0).engine().applied();
  EXPECT_EQ(applied.end, stage.replica(1).engine().applied().end);
  EXPECT_EQ(applied.end, stage.replica(2).engine().applied().end);
  EXPECT_EQ(commit_index(applied.end.lsn).value, last);
}

// The ring is much shorter than what goes through it.
TEST(Engine, GoesRoundTheRingWithoutAStop) {
  ReplicaStage stage({.ring_bytes = 64U << 10});
  const std::string value(3000, 'x');
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(stage.call(put("key", value + std::to_string(i))).status, 0);
  }
  EXPECT_GT(stage.replica(0).engine().applied().end.lsn, 2 * (64U << 10));
  stage.expect_equal_states();
  EXPECT_EQ(stage.witness().verdict(), "");
}

TEST(Engine, AnIdleTurnAllocatesNothing) {
  ReplicaStage stage;
  const std::size_t leader = stage.wait_for_leader();
  EXPECT_EQ(stage.call(put("a", "1")).status, 0);
  stage.run_for(Duration::milliseconds(1));
  // The fabric allocates for what is under way, so only the turn that orders nothing new is measured.
  std::uint64_t allocations = 0;
  {
    const support::AllocGuard guard;
    stage.replica(leader).turn(stage.now());
    allocations = guard.allocations();
  }
  EXPECT_EQ(allocations, 0U);
}

TEST(Engine, ChangesOfLeadersLoseNothingThatWasAnswered) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    ReplicaStage stage({.seed = seed});
    const std::uint64_t session = stage.call(open_session()).number();
    std::uint64_t sum = 0;
    for (std::uint64_t round = 1; round <= 6; ++round) {
      sum += round;
      EXPECT_EQ(stage.call(increment("sum", round, SessionTag{session, round, 0})).number(), sum);
      const std::size_t leader = stage.wait_for_leader();
      stage.crash(leader);
      stage.run_for(Duration::microseconds(400));
      stage.start(leader);
    }
    EXPECT_EQ(stage.call(increment("sum", 0)).number(), sum);
    stage.expect_equal_states();
    EXPECT_EQ(stage.witness().verdict(), "") << "seed " << seed;
  }
}

TEST(Engine, ReplicatedDurabilitySurvivesOneAtATime) {
  ReplicaStage stage({.durability = cft::Durability::replicated});
  EXPECT_EQ(stage.call(put("a", "1")).status, 0);
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    const std::size_t victim = stage.wait_for_leader();
    stage.crash(victim);
    EXPECT_EQ(stage.call(put("a", std::to_string(i))).status, 0);
    stage.start(victim);
    EXPECT_EQ(stage.replica(victim).state(), ReplicaState::recovering);
    EXPECT_TRUE(stage.run_until([&] { return stage.replica(victim).state() == ReplicaState::following; }));
  }
  EXPECT_EQ(stage.call(get("a")).body, "2");
  stage.expect_equal_states();
  EXPECT_EQ(stage.witness().verdict(), "");
}

}  // namespace
}  // namespace mallard::rsm
