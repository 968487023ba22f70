#include "rsm/replica/replica.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/replica_stage.h"

namespace mallard::rsm {
namespace {

namespace door = transport::door;

constexpr auto ok = static_cast<std::uint8_t>(KvStatus::ok);

TEST(Replica, ExecutesCommandsAndAnswersThem) {
  ReplicaStage stage;
  EXPECT_EQ(stage.call(put("fruit", "apple")).status, ok);
  EXPECT_EQ(stage.call(get("fruit")).body, "apple");
  EXPECT_EQ(stage.call(increment("count", 2)).number(), 2U);
  EXPECT_EQ(stage.call(increment("count", 3)).number(), 5U);
  stage.expect_equal_states();
  EXPECT_EQ(stage.witness().verdict(), "");
  EXPECT_EQ(stage.witness().judged(), 4U);
}

TEST(Replica, FollowersNameTheLeader) {
  ReplicaStage stage;
  const std::size_t leader = stage.wait_for_leader();
  const std::size_t follower = (leader + 1) % ReplicaStage::replicas;
  ASSERT_TRUE(stage.run_until([&] { return stage.replica(follower).leader().has_value(); }));
  const std::uint64_t request = stage.submit(follower, put("a", "b"));
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(request) != nullptr; }));
  EXPECT_EQ(stage.answer(request)->reply.status, door::ReplyStatus::not_leader);
  ASSERT_TRUE(stage.answer(request)->reply.leader_known);
  EXPECT_EQ(stage.answer(request)->reply.leader.value, leader);
}

TEST(Replica, RefusesWhatACallerMayNotOrder) {
  ReplicaStage stage;
  const std::size_t leader = stage.wait_for_leader();
  const std::uint64_t garbage = stage.submit(leader, std::vector<std::byte>(7, std::byte{0xee}));
  const std::uint64_t system = stage.submit(leader, raise_fence(1));
  const std::uint64_t operators = stage.submit(leader, raise_fence(1), door::Role::operations);
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(operators) != nullptr; }));
  EXPECT_EQ(stage.answer(garbage)->reply.status, door::ReplyStatus::refused);
  EXPECT_EQ(stage.answer(system)->reply.status, door::ReplyStatus::forbidden);
  EXPECT_EQ(stage.answer(operators)->reply.status, door::ReplyStatus::done);
}

TEST(Replica, ARepeatedRequestIsExecutedOnceAcrossFailOver) {
  ReplicaStage stage;
  const std::uint64_t session = stage.call(open_session()).number();
  const auto request = increment("count", 7, SessionTag{session, 1, 0});
  const KvReplyCopy first = stage.call(request);
  EXPECT_EQ(first.number(), 7U);
  const std::size_t leader = stage.wait_for_leader();
  stage.crash(leader);
  EXPECT_EQ(stage.call(get("count")).number(), 7U);
  const std::uint64_t request_again = stage.submit(stage.wait_for_leader(), request);
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(request_again) != nullptr; }));
  EXPECT_EQ(copy_reply(stage.answer(request_again)->bytes), first);
  EXPECT_EQ(stage.call(get("count")).number(), 7U);
  stage.start(leader);
  stage.expect_equal_states();
  EXPECT_EQ(stage.witness().verdict(), "");
}

TEST(Replica, ComesBackFromItsJournalAfterAPowerCutOfAll) {
  ReplicaStage stage;
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(stage.call(put("key" + std::to_string(i), "value" + std::to_string(i))).status, ok);
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    stage.crash(i);
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    stage.start(i);
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(stage.call(get("key" + std::to_string(i))).body, "value" + std::to_string(i));
  }
  stage.expect_equal_states();
  EXPECT_EQ(stage.witness().verdict(), "");
}

TEST(Replica, ComesBackWhenTheLogIsLongerThanTheRing) {
  ReplicaStage stage;
  const std::string value(2000, 'v');
  for (int i = 0; i < 100; ++i) {  // 200 KB through a ring of 64 KiB
    EXPECT_EQ(stage.call(put("key" + std::to_string(i % 7), value)).status, ok);
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    stage.crash(i);
    stage.start(i);
  }
  EXPECT_EQ(stage.call(get("key3")).body, value);
  stage.expect_equal_states();
  EXPECT_EQ(stage.witness().verdict(), "");
}

TEST(Replica, ComesBackFromASnapshotAndTheJournalBehindIt) {
  ReplicaStage stage({.snapshots = {.every_entries = 20}});
  const std::uint64_t session = stage.call(open_session()).number();
  const auto request = increment("count", 7, SessionTag{session, 1, 0});
  EXPECT_EQ(stage.call(request).number(), 7U);
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(stage.call(put("key" + std::to_string(i % 9), "value" + std::to_string(i))).status, ok);
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    EXPECT_GT(stage.replica(i).snapshots().taken(), 1U);
    stage.crash(i);
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    stage.start(i);
    ASSERT_NE(stage.replica(i).snapshots().kept().older(), nullptr);
    EXPECT_NE(stage.replica(i).state(), ReplicaState::recovering);
  }
  const std::uint64_t repeated = stage.submit(stage.wait_for_leader(), request);
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(repeated) != nullptr; }));
  EXPECT_EQ(copy_reply(stage.answer(repeated)->bytes).number(), 7U) << "sessions are part of a snapshot";
  EXPECT_EQ(stage.call(get("count")).number(), 7U);
  EXPECT_EQ(stage.call(get("key3")).body, "value66");
  stage.expect_equal_states();
  EXPECT_EQ(stage.witness().verdict(), "");
}

// Far more than the journal's 16,384 entries: without snapshots it would be full.
TEST(Replica, SnapshotsKeepTheJournalBounded) {
  ReplicaStage stage({.sync = Duration::microseconds(8), .snapshots = {.every_entries = 500}});
  const std::size_t leader = stage.wait_for_leader();
  std::uint64_t last = 0;
  for (int i = 0; i < 18'000; ++i) {
    last = stage.submit(leader, put("key" + std::to_string(i % 50), std::to_string(i)));
    if (i % 32 == 0) {
      ASSERT_TRUE(stage.run_until([&] { return stage.answer(last) != nullptr; }));
    }
  }
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(last) != nullptr; }));
  EXPECT_EQ(stage.answer(last)->reply.status, door::ReplyStatus::done);
  EXPECT_FALSE(stage.replica(leader).failed());
  EXPECT_GT(stage.replica(leader).snapshots().taken(), 5U);
  stage.expect_equal_states();
}

TEST(Replica, OneThatLostItsLogVotesOnlyAfterItHasReadOthers) {
  ReplicaStage stage;
  EXPECT_EQ(stage.call(put("a", "1")).status, ok);
  const std::size_t victim = (stage.wait_for_leader() + 1) % ReplicaStage::replicas;
  stage.crash(victim);
  stage.wipe(victim);
  stage.start(victim);
  EXPECT_EQ(stage.replica(victim).state(), ReplicaState::recovering);
  EXPECT_EQ(stage.call(put("a", "2")).status, ok);
  EXPECT_TRUE(stage.run_until([&] { return stage.replica(victim).state() == ReplicaState::following; }));
  stage.expect_equal_states();
  // It counts again: another may die.
  stage.crash(stage.wait_for_leader());
  EXPECT_EQ(stage.call(get("a")).body, "2");
  EXPECT_EQ(stage.witness().verdict(), "");
}

// What memory promised went with it. They know of each other that nobody can give it back.
TEST(Replica, KnowsHowManyLostTheirLogs) {
  ReplicaStage stage({.durability = cft::Durability::replicated});
  EXPECT_EQ(stage.call(put("a", "1")).status, ok);
  stage.expect_equal_states();
  const std::size_t victim = (stage.wait_for_leader() + 1) % ReplicaStage::replicas;
  EXPECT_EQ(stage.replica(victim).lost_logs(), 0U);
  stage.crash(victim);
  stage.start(victim);
  EXPECT_EQ(stage.replica(victim).lost_logs(), 1U) << "its own";
  EXPECT_TRUE(stage.run_until([&] { return stage.replica(victim).lost_logs() == 0; }))
      << "it read the others";
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    stage.crash(i);
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    stage.start(i);
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    EXPECT_TRUE(stage.run_until([&] { return stage.replica(i).lost_logs() == 3; })) << i;
    EXPECT_EQ(stage.replica(i).state(), ReplicaState::recovering);
  }
}

// Its store was made, and something else that it needs could not be had: nobody has seen it yet.
TEST(Replica, AFoundingThatFailsCanBeRepeated) {
  for (const cft::Durability durability : {cft::Durability::disk, cft::Durability::replicated}) {
    ReplicaStage stage({.durability = durability});
    for (std::size_t id = 0; id < 2; ++id) {
      stage.crash(id);
      stage.wipe(id);
      stage.make_store(id);
      stage.start(id, true);
      EXPECT_NE(stage.replica(id).state(), ReplicaState::recovering);
    }
    EXPECT_EQ(stage.call(put("a", "1")).status, ok);
  }
}

// From the end of its first opening on others may have counted on it.
TEST(Replica, AFoundingIsNoFirstLifeOfAReplicaThatHasLived) {
  ReplicaStage stage({.durability = cft::Durability::replicated});
  stage.crash(0);
  stage.start(0, true);
  EXPECT_EQ(stage.replica(0).state(), ReplicaState::recovering);
  EXPECT_TRUE(stage.store(1).promises().may_vote);
}

// Without the word of who sets the cluster up, an empty store is a lost one, in every opening.
TEST(Replica, AStoreThatWasMadeAndNotFoundedIsALostOne) {
  ReplicaStage stage;
  stage.crash(0);
  stage.wipe(0);
  stage.make_store(0);
  stage.start(0);
  EXPECT_EQ(stage.replica(0).state(), ReplicaState::recovering);
}

// Changes a byte of an entry that was journaled as the first of those.
void damage_entry_with(ReplicaStage& stage, std::size_t id, std::string_view text) {
  journal::DiskImage image = stage.disk(id).image();
  const ByteView wanted = text_bytes(text);
  bool found = false;
  for (auto& [name, bytes] : image) {
    const auto at = std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end());
    if (name.starts_with("log.") && at != bytes.end()) {
      *at ^= std::byte{1};
      found = true;
    }
  }
  ASSERT_TRUE(found);
  stage.disk(id).restore(image);
}

TEST(Replica, ADamagedEntryInTheMiddleIsRepairedFromTheLeader) {
  ReplicaStage stage;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(stage.call(put("key" + std::to_string(i), "value-" + std::to_string(i))).status, ok);
  }
  stage.expect_equal_states();
  const std::size_t victim = (stage.wait_for_leader() + 1) % ReplicaStage::replicas;
  stage.crash(victim, journal::SimDisk::Loss::none);
  damage_entry_with(stage, victim, "value-4");
  stage.start(victim);
  EXPECT_EQ(stage.store(victim).entries_damaged(), 1U);
  EXPECT_EQ(stage.replica(victim).state(), ReplicaState::recovering) << "it may have promised more";
  ASSERT_TRUE(stage.run_until([&] { return stage.replica(victim).state() == ReplicaState::following; }));
  EXPECT_EQ(stage.call(put("more", "1")).status, ok);
  stage.expect_equal_states();
  EXPECT_TRUE(stage.run_until([&] { return stage.store(victim).entries_damaged() == 0; }));
  // What it has now is whole.
  stage.crash(victim);
  stage.start(victim);
  EXPECT_EQ(stage.store(victim).entries_damaged(), 0U);
  EXPECT_NE(stage.replica(victim).state(), ReplicaState::recovering);
  stage.crash((victim + 1) % ReplicaStage::replicas);
  EXPECT_EQ(stage.call(get("key4")).body, "value-4");
  EXPECT_EQ(stage.witness().verdict(), "");
}

TEST(Replica, ADamagedEntryThatNoRingHasIsReplacedByASnapshot) {
  ReplicaStage stage;
  EXPECT_EQ(stage.call(put("early", "value-early")).status, ok);
  const std::string large(4000, 'v');
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(stage.call(put("key" + std::to_string(i % 7), large)).status, ok);
  }
  stage.expect_equal_states();
  const std::size_t victim = (stage.wait_for_leader() + 1) % ReplicaStage::replicas;
  stage.crash(victim, journal::SimDisk::Loss::none);
  damage_entry_with(stage, victim, "value-early");
  stage.start(victim);
  ASSERT_TRUE(stage.run_until([&] { return stage.replica(victim).state() == ReplicaState::following; }));
  EXPECT_EQ(stage.replica(victim).installed(), 1U);
  stage.expect_equal_states();
  EXPECT_EQ(stage.store(victim).entries_damaged(), 0U);
  stage.crash((victim + 1) % ReplicaStage::replicas);
  EXPECT_EQ(stage.call(get("early")).body, "value-early");
  EXPECT_EQ(stage.witness().verdict(), "");
}

// As ReplicaStage::run_until(), and checks that no replica asks for one turn after the other at once: a loop
// that waits as long as it may would never sleep. After a change a turn or two may be due.
bool run_calmly(ReplicaStage& stage, const std::function<bool()>& done, Duration limit) {
  constexpr std::size_t in_a_row_max = 3;
  std::array<std::size_t, ReplicaStage::replicas> in_a_row{};
  std::size_t longest = 0;
  const bool is_done = stage.run_until(
      [&] {
        for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
          const bool is_due = stage.runs(i) && stage.replica(i).next_deadline() <= stage.now();
          in_a_row[i] = is_due ? in_a_row[i] + 1 : 0;
          longest = std::max(longest, in_a_row[i]);
        }
        return done();
      },
      limit);
  EXPECT_LE(longest, in_a_row_max);
  return is_done;
}

TEST(Replica, SleepsWhileASnapshotIsWritten) {
  ReplicaStage stage({.sync = Duration::milliseconds(2), .snapshots = {.every_entries = 5}});
  const std::size_t leader = stage.wait_for_leader();
  stage.run_for(Duration::milliseconds(1));
  for (int i = 0; i < 60; ++i) {
    stage.submit(leader, put("key" + std::to_string(i % 7), "value"));
  }
  std::size_t behind = 0;
  const auto taken = [&] {
    const Replica& replica = stage.replica(leader);
    behind += replica.snapshots().is_behind(replica.engine().applied()) ? 1U : 0U;
    return replica.snapshots().taken() > 0;
  };
  EXPECT_TRUE(run_calmly(stage, taken, Duration::milliseconds(200)));
  EXPECT_GT(behind, 0U) << "nothing was executed for a while";
}

TEST(Replica, SleepsWhileASnapshotOfAPeerIsInstalled) {
  ReplicaStage stage;
  EXPECT_EQ(stage.call(put("early", "value-early")).status, ok);
  const std::string large(4000, 'v');
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(stage.call(put("key" + std::to_string(i % 7), large)).status, ok);
  }
  stage.expect_equal_states();
  const std::size_t victim = (stage.wait_for_leader() + 1) % ReplicaStage::replicas;
  stage.crash(victim, journal::SimDisk::Loss::none);
  damage_entry_with(stage, victim, "value-early");
  stage.start(victim);
  stage.run_for(Duration::microseconds(10));  // its first turn
  EXPECT_TRUE(run_calmly(
      stage, [&] { return stage.replica(victim).installed() == 1; }, Duration::milliseconds(200)));
}

// The entries that cannot be read are still in its journal when the power goes between the snapshot's name
// and the journal's new beginning: their numbers are not given again.
TEST(Replica, ACrashWhileADamagedLogIsReplacedLosesNothing) {
  for (std::uint64_t at = 0; at < 24; ++at) {
    ReplicaStage stage({.seed = at + 1});
    EXPECT_EQ(stage.call(put("early", "value-early")).status, ok);
    for (int i = 0; i < 40; ++i) {
      EXPECT_EQ(stage.call(put("key" + std::to_string(i % 7), std::string(4000, 'v'))).status, ok);
    }
    stage.expect_equal_states();
    const std::size_t victim = (stage.wait_for_leader() + 1) % ReplicaStage::replicas;
    const auto follows = [&] { return stage.replica(victim).state() == ReplicaState::following; };
    stage.crash(victim, journal::SimDisk::Loss::none);
    damage_entry_with(stage, victim, "value-early");
    stage.disk(victim).crash_after(8 + at);
    stage.start(victim);
    static_cast<void>(stage.run_until([&] { return stage.replica(victim).failed() || follows(); }));
    stage.crash(victim, journal::SimDisk::Loss::none);
    stage.disk(victim).never_fail();
    stage.start(victim);
    ASSERT_TRUE(stage.run_until(follows)) << "at " << at;
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(stage.call(put("late", std::to_string(i))).status, ok);
    }
    stage.expect_equal_states();
    stage.run_for(Duration::milliseconds(1));
    stage.crash(victim);
    stage.start(victim);
    EXPECT_NE(stage.replica(victim).state(), ReplicaState::recovering)
        << "what it journaled is there, at " << at;
    EXPECT_EQ(stage.witness().verdict(), "") << "at " << at;
  }
}

// More is executed from the journal than its own mark says, and the first snapshot may be due at once.
TEST(Replica, SnapshotsGoOnAfterPowerCutsWithWritesUnderWay) {
  for (int at = 0; at < 40; ++at) {
    ReplicaStage stage({.seed = 3, .snapshots = {.every_entries = 2}});
    const std::size_t leader = stage.wait_for_leader();
    for (int i = 0; i < 30; ++i) {
      stage.submit(leader, put("key" + std::to_string(i), "value"));
      stage.run_for(Duration::microseconds(8));
    }
    stage.run_for(Duration::microseconds(4 * at));
    for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
      stage.crash(i);
    }
    for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
      stage.start(i);
      EXPECT_GE(stage.store(i).commit(), stage.replica(i).engine().applied().index) << "at " << at;
    }
    EXPECT_EQ(stage.call(put("key", "value")).status, ok);
    stage.expect_equal_states();
  }
}

TEST(Replica, AFailingJournalEndsIt) {
  ReplicaStage stage;
  const std::size_t leader = stage.wait_for_leader();
  stage.disk(leader).fail_after(0, journal::DiskFault::broken);
  EXPECT_EQ(stage.call(put("a", "1")).status, ok);  // by another leader
  EXPECT_TRUE(stage.run_until([&] { return stage.replica(leader).failed(); }));
  EXPECT_EQ(stage.replica(leader).state(), ReplicaState::failed);
  EXPECT_EQ(stage.witness().verdict(), "");
}

}  // namespace
}  // namespace mallard::rsm
