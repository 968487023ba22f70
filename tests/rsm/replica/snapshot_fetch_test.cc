#include "rsm/replica/snapshot_fetch.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "rsm/replica/snapshot_source.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/replica_stage.h"

namespace mallard::rsm {
namespace {

// One replica is down while the others go on for longer than a ring, and for longer than a journal.
class SnapshotFetchTest : public testing::Test {
 protected:
  void fall_behind(ReplicaStage& stage, std::size_t writes = 120) {
    victim = (stage.wait_for_leader() + 1) % ReplicaStage::replicas;
    stage.call(put("before", "1"));
    stage.crash(victim);
    write(stage, writes);
  }
  static void write(ReplicaStage& stage, std::size_t writes) {
    for (std::size_t i = 0; i < writes; ++i) {
      EXPECT_EQ(stage.call(put("key" + std::to_string(i % 400), std::string(4000, 'v'))).status, 0);
    }
  }
  static bool follows(ReplicaStage& stage, std::size_t id) {
    return stage.replica(id).state() == ReplicaState::following;
  }

  std::size_t victim = 0;
};

TEST_F(SnapshotFetchTest, WhoFellBehindTheRingInstallsASnapshotAndCatchesUp) {
  ReplicaStage stage({.snapshots = {.every_entries = 50}});
  fall_behind(stage);
  stage.start(victim);
  ASSERT_TRUE(stage.run_until([&] { return follows(stage, victim); }));
  EXPECT_EQ(stage.replica(victim).installed(), 1U);
  stage.expect_equal_states();
  // It counts again, and comes back from what it installed.
  stage.crash(victim);
  stage.start(victim);
  ASSERT_TRUE(stage.run_until([&] { return follows(stage, victim); }));
  EXPECT_EQ(stage.replica(victim).installed(), 0U);
  stage.crash(stage.wait_for_leader());
  EXPECT_EQ(stage.call(get("key3")).body, std::string(4000, 'v'));
  EXPECT_EQ(stage.witness().verdict(), "");
}

TEST_F(SnapshotFetchTest, OneThatLostItsDiskComesBackWhoseLogNobodyHas) {
  ReplicaStage stage({.snapshots = {.every_entries = 50}});
  fall_behind(stage);
  stage.wipe(victim);
  stage.start(victim);
  EXPECT_NE(stage.replica(victim).state(), ReplicaState::following);
  ASSERT_TRUE(stage.run_until([&] { return follows(stage, victim); }));
  stage.expect_equal_states();
  stage.crash(stage.wait_for_leader());
  EXPECT_EQ(stage.call(get("before")).body, "1");
  EXPECT_EQ(stage.witness().verdict(), "");
}

// Nobody has taken one yet: they take one because it is asked for.
TEST_F(SnapshotFetchTest, PeersTakeASnapshotWhereOneIsNeeded) {
  ReplicaStage stage;
  fall_behind(stage);
  stage.start(victim);
  ASSERT_TRUE(stage.run_until([&] { return follows(stage, victim); }));
  EXPECT_EQ(stage.replica(victim).installed(), 1U);
  stage.expect_equal_states();
}

TEST_F(SnapshotFetchTest, WithoutPeersItStaysAsItIs) {
  ReplicaStage stage({.snapshots = {.every_entries = 50}, .peers = false});
  fall_behind(stage);
  stage.start(victim);
  ASSERT_TRUE(stage.run_until([&] { return stage.replica(victim).state() == ReplicaState::needs_snapshot; }));
  stage.run_for(Duration::milliseconds(5));
  EXPECT_EQ(stage.replica(victim).state(), ReplicaState::needs_snapshot);
}

TEST_F(SnapshotFetchTest, LostMessagesAndSilentPeersOnlyTakeTime) {
  ReplicaStage stage({.snapshots = {.every_entries = 50}});
  int messages = 0;
  stage.set_censor([&](std::size_t, std::size_t, const PeerMessage&, std::vector<std::byte>&) {
    return ++messages % 4 == 0 || messages > 24;
  });
  fall_behind(stage, 300);
  stage.start(victim);
  ASSERT_TRUE(stage.run_until([&] { return follows(stage, victim); }, Duration::milliseconds(400)));
  EXPECT_GT(stage.replica(victim).fetch()->counters().timeouts, 3U);
  EXPECT_GT(stage.replica(victim).fetch()->counters().pieces, 3U);
  stage.expect_equal_states();
}

// One peer changes what it gives: it is noticed at once, and the other serves.
TEST_F(SnapshotFetchTest, DamagedBytesAreNotInstalled) {
  ReplicaStage stage({.snapshots = {.every_entries = 50}});
  fall_behind(stage);
  const std::size_t liar = stage.wait_for_leader();
  Prng prng(5);
  stage.set_censor([&](std::size_t from, std::size_t, const PeerMessage&, std::vector<std::byte>& body) {
    if (from == liar && !body.empty()) {
      body[prng.below(body.size())] ^= std::byte{4};
    }
    return true;
  });
  stage.start(victim);
  ASSERT_TRUE(stage.run_until([&] { return follows(stage, victim); }, Duration::milliseconds(400)));
  EXPECT_GT(stage.replica(victim).fetch()->counters().damaged, 0U);
  EXPECT_EQ(stage.replica(victim).installed(), 1U);
  stage.expect_equal_states();
  EXPECT_EQ(stage.witness().verdict(), "");
}

// Power cuts of the one that installs, at any change of its disk; in the end it has what the others have.
TEST_F(SnapshotFetchTest, ACrashWhileInstallingLosesNothing) {
  for (std::uint64_t at = 0; at < 40; at += 1) {
    ReplicaStage stage({.seed = at + 1, .snapshots = {.every_entries = 40}});
    fall_behind(stage, 70);
    stage.disk(victim).crash_after(10 + at);
    constexpr std::array losses{journal::SimDisk::Loss::none, journal::SimDisk::Loss::everything,
                                journal::SimDisk::Loss::some};
    stage.start(victim);
    static_cast<void>(
        stage.run_until([&] { return stage.replica(victim).failed() || follows(stage, victim); }));
    stage.crash(victim, losses[at % losses.size()]);
    stage.disk(victim).never_fail();
    stage.start(victim);
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << "at " << at;
    ASSERT_TRUE(stage.run_until([&] { return follows(stage, victim); })) << "at " << at;
    stage.expect_equal_states();
    stage.crash(stage.wait_for_leader());
    EXPECT_EQ(stage.call(get("before")).body, "1");
    EXPECT_EQ(stage.witness().verdict(), "") << "at " << at;
  }
}

// It stood still when its proposals were decided, and installs a snapshot that has them.
TEST_F(SnapshotFetchTest, ALeaderThatFellBehindAnswersWhatItHadPlaced) {
  std::uint64_t installed = 0;
  for (int at = 0; at < 24; ++at) {
    ReplicaStage stage({.seed = 9, .snapshots = {.every_entries = 50}});
    const std::size_t old = stage.wait_for_leader();
    std::vector<std::uint64_t> requests;
    for (int i = 0; i < 6; ++i) {
      requests.push_back(stage.submit(old, put("key" + std::to_string(i), "value")));
      stage.run_for(Duration::microseconds(4));
    }
    stage.run_for(Duration::microseconds(4 * at));
    stage.pause(old, true);
    std::optional<std::size_t> next;
    ASSERT_TRUE(stage.run_until([&] {
      for (std::size_t id = 0; id < ReplicaStage::replicas; ++id) {
        next = id != old && stage.replica(id).state() == ReplicaState::leading ? std::optional(id) : next;
      }
      return next.has_value();
    }));
    for (int i = 0; i < 120; ++i) {
      const std::uint64_t request = stage.submit(*next, put("other", std::string(4000, 'v')));
      ASSERT_TRUE(stage.run_until([&] { return stage.answer(request) != nullptr; }));
    }
    stage.pause(old, false);
    stage.expect_equal_states();
    ASSERT_TRUE(follows(stage, old)) << "at " << at;
    installed += stage.replica(old).installed();
    for (const std::uint64_t request : requests) {
      EXPECT_TRUE(stage.run_until([&] { return stage.answer(request) != nullptr; })) << "at " << at;
    }
    EXPECT_EQ(stage.replica(old).commands().waiting(), 0U);
  }
  EXPECT_GT(installed, 0U);
}

}  // namespace
}  // namespace mallard::rsm
