#include "rsm/replica/link_desk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "rsm/machine/link_command.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/replica_stage.h"

namespace mallard::rsm {
namespace {

namespace door = transport::door;

constexpr LinkIndex out{0};
constexpr LinkIndex in{1};

class LinkDeskTest : public testing::Test {
 protected:
  // Opens a link, as an operator.
  void open(LinkIndex link, LinkDirection direction) {
    const auto command = encode_link_open(link, direction, Generation(1), {});
    const std::uint64_t request = stage.submit(stage.wait_for_leader(), command, door::Role::operations);
    ASSERT_TRUE(stage.run_until([&] { return stage.answer(request) != nullptr; }));
    ASSERT_EQ(copy_reply(stage.answer(request)->bytes).status, 0);
  }
  template <class Message>
  std::vector<std::pair<Message, std::vector<std::byte>>> told(std::size_t id) {
    std::vector<std::pair<Message, std::vector<std::byte>>> all;
    for (const auto& one : stage.told(id)) {
      if (const auto* message = std::get_if<Message>(&one.message)) {
        all.emplace_back(*message, one.body);
      }
    }
    return all;
  }
  void attach(std::size_t id) {
    stage.say(id, door::Attach{.incarnation = Incarnation(1), .epoch = Epoch(1)});
  }
  void tap(std::size_t id, std::uint64_t after, std::uint32_t credit) {
    stage.say(id, door::Tap{.link = out, .serial = 1, .after = BatchNumber(after)});
    stage.say(id, door::Credit{.link = out, .serial = 1, .batches = credit});
  }
  void apply(std::size_t id, std::uint64_t batch, const std::string& key, std::uint64_t fence = 0) {
    stage.apply(id, in, batch, key, Fence(fence));
  }
  std::uint64_t cursor(std::size_t id) {
    const auto standing = stage.machine(id).link(in, LinkDirection::inbound);
    return standing ? standing->batch.value : 0;
  }

  explicit LinkDeskTest(const StageSettings& settings = {.links = 2, .snapshots = {.every_entries = 12}})
      : stage(settings) {}

  ReplicaStage stage;
};

class FullLinkDeskTest : public LinkDeskTest {
 protected:
  FullLinkDeskTest() : LinkDeskTest({.state_bytes = 32U << 10, .links = 2}) {}
};

TEST(LinkDesk, OpensTheLinksOfThePairingOnce) {
  ReplicaStage stage({.links = 2,
                      .openings = {{.link = out, .direction = LinkDirection::outbound, .prefixes = {"app/"}},
                                   {.link = in, .direction = LinkDirection::inbound}}});
  const auto are_open = [&](std::size_t id) {
    return stage.machine(id).link(out, LinkDirection::outbound) &&
           stage.machine(id).link(in, LinkDirection::inbound);
  };
  ASSERT_TRUE(stage.run_until([&] { return are_open(0) && are_open(1) && are_open(2); }));
  EXPECT_EQ(stage.call(put("other", "1")).status, 0);
  EXPECT_EQ(stage.call(put("app/a", "1")).status, 0);
  const LinkStanding before = *stage.machine(0).link(out, LinkDirection::outbound);
  EXPECT_EQ(before.generation, Generation(1));
  EXPECT_EQ(before.message, MessageNumber(1)) << "one key has the prefix";
  const std::size_t leader = stage.wait_for_leader();
  stage.crash(leader);
  ASSERT_TRUE(stage.run_until([&] {
    const auto next = stage.leader();
    return next && *next != leader;
  }));
  EXPECT_EQ(stage.call(put("app/a", "2")).status, 0);
  const std::size_t now = stage.wait_for_leader();
  EXPECT_EQ(stage.machine(now).link(out, LinkDirection::outbound)->opened_at, before.opened_at);
  EXPECT_EQ(stage.machine(now).link(out, LinkDirection::outbound)->message, MessageNumber(2));
}

TEST_F(LinkDeskTest, EveryReplicaHasTheSameBatches) {
  open(out, LinkDirection::outbound);
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    attach(i);
    tap(i, 0, 100);
  }
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(stage.call(put("key" + std::to_string(i), std::string(100, 'v'))).status, 0);
  }
  stage.expect_equal_states();
  stage.run_for(Duration::milliseconds(1));
  const auto first = told<door::Batch>(0);
  ASSERT_EQ(first.size(), 10U);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].first.range, (door::BatchRange{BatchNumber(i + 1), MessageNumber(i + 1), 1}));
  }
  for (std::size_t id = 1; id < ReplicaStage::replicas; ++id) {
    const auto other = told<door::Batch>(id);
    ASSERT_EQ(other.size(), first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(other[i].first.range, first[i].first.range);
      EXPECT_EQ(other[i].second, first[i].second);
    }
    EXPECT_EQ(told<door::Extent>(id).back().first.newest, BatchNumber(10));
  }
}

TEST_F(LinkDeskTest, CreditBoundsATapAndReplayBringsBodiesBack) {
  open(out, LinkDirection::outbound);
  for (int i = 0; i < 5; ++i) {
    stage.call(put("key", std::to_string(i)));
  }
  stage.expect_equal_states();
  const std::size_t id = stage.wait_for_leader();
  stage.crash(id);
  stage.start(id);
  ASSERT_TRUE(stage.run_until([&] { return stage.replica(id).leader().has_value(); }));
  stage.expect_equal_states();
  attach(id);
  const auto standings = told<door::Standing>(id);
  ASSERT_EQ(standings.size(), 1U);
  EXPECT_EQ(standings[0].first.batch, BatchNumber(5));
  EXPECT_EQ(standings[0].first.oldest_readable, BatchNumber(1));
  EXPECT_EQ(told<door::Attached>(id).at(0).first.standings, 1U);
  tap(id, 1, 2);
  stage.run_for(Duration::microseconds(40));
  ASSERT_EQ(told<door::Batch>(id).size(), 2U);
  EXPECT_EQ(told<door::Batch>(id)[0].first.range.batch, BatchNumber(2));
  stage.say(id, door::Credit{.link = out, .serial = 2, .batches = 9});
  stage.run_for(Duration::microseconds(40));
  EXPECT_EQ(told<door::Batch>(id).size(), 2U) << "credit of another tap";
  stage.say(id, door::Quacked{.link = out, .generation = Generation(1), .through = BatchNumber(3)});
  stage.run_for(Duration::microseconds(40));
  EXPECT_EQ(told<door::Extent>(id).back().first.oldest_readable, BatchNumber(4));
}

// The log that brought the bodies is gone: they come from the snapshot, but for those that were QUACKed.
TEST_F(LinkDeskTest, ALinkResumesFromASnapshot) {
  open(out, LinkDirection::outbound);
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    attach(i);
    stage.say(i, door::Quacked{.link = out, .generation = Generation(1), .through = BatchNumber(2)});
  }
  for (int i = 1; i <= 40; ++i) {
    stage.call(put("key", std::to_string(i)));
    if (i == 5) {
      for (std::size_t id = 0; id < ReplicaStage::replicas; ++id) {
        stage.say(id, door::Quacked{.link = out, .generation = Generation(1), .through = BatchNumber(3)});
      }
    }
  }
  stage.expect_equal_states();
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    ASSERT_GT(stage.replica(i).snapshots().taken(), 1U);
    stage.crash(i);
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    stage.start(i);
  }
  stage.call(put("key", "41"));
  stage.expect_equal_states();
  for (std::size_t id = 0; id < ReplicaStage::replicas; ++id) {
    attach(id);
    const auto standings = told<door::Standing>(id);
    ASSERT_EQ(standings.size(), 1U);
    EXPECT_EQ(standings[0].first.batch, BatchNumber(41));
    EXPECT_EQ(standings[0].first.oldest_readable, BatchNumber(4));
    tap(id, 3, 100);
    stage.run_for(Duration::milliseconds(1));
    const auto batches = told<door::Batch>(id);
    ASSERT_EQ(batches.size(), 38U);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      EXPECT_EQ(batches[i].first.range, (door::BatchRange{BatchNumber(i + 4), MessageNumber(i + 4), 1}));
      const std::string text = std::to_string(i + 4);
      ASSERT_GT(batches[i].second.size(), text.size());
      EXPECT_TRUE(std::equal(text.rbegin(), text.rend(), batches[i].second.rbegin(),
                             [](char a, std::byte b) { return static_cast<std::byte>(a) == b; }));
    }
  }
}

TEST_F(LinkDeskTest, ALinkThatOpensIsAnnounced) {
  attach(0);
  EXPECT_EQ(told<door::Attached>(0).at(0).first.standings, 0U);
  open(in, LinkDirection::inbound);
  open(out, LinkDirection::outbound);
  ASSERT_TRUE(stage.run_until([&] { return told<door::Standing>(0).size() == 2; }));
}

// Every gateway orders the same batches, and leaders change in between.
TEST_F(LinkDeskTest, AppliesEachBatchOnceWhoeverOrdersIt) {
  open(in, LinkDirection::inbound);
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    attach(i);
  }
  for (std::uint64_t batch = 1; batch <= 8; ++batch) {
    for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
      apply(i, batch, "count");
    }
  }
  ASSERT_TRUE(stage.run_until([&] { return cursor(0) == 8 && cursor(1) == 8 && cursor(2) == 8; }));
  const std::size_t leader = stage.wait_for_leader();
  const std::size_t other = (leader + 1) % ReplicaStage::replicas;
  const std::size_t third = (leader + 2) % ReplicaStage::replicas;
  for (std::uint64_t batch = 9; batch <= 12; ++batch) {
    apply(leader, batch, "count");
    apply(other, batch, "count");
    apply(third, batch, "count");
  }
  stage.crash(leader);  // the orders of the others bring them in
  ASSERT_TRUE(stage.run_until([&] { return cursor(other) == 12 && cursor(third) == 12; }));
  EXPECT_EQ(stage.call(get("count")).number(), 12U);
  ASSERT_TRUE(stage.run_until([&] {
    return !told<door::Applied>(other).empty() &&
           told<door::Applied>(other).back().first.cursor == BatchNumber(12);
  }));
  stage.start(leader);
  stage.expect_equal_states();
}

// The cursor stays where it is while the machine has no room, and goes on when it has some again.
TEST_F(FullLinkDeskTest, BatchesThatFoundNoRoomAreAppliedOnceThereIsSome) {
  open(in, LinkDirection::inbound);
  int keys = 0;
  for (const std::size_t bytes : {1000U, 1U}) {
    while (stage.call(put("fill" + std::to_string(keys), std::string(bytes, 'f'))).status == 0) {
      ASSERT_LT(++keys, 200);
    }
  }
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    attach(i);
    apply(i, 1, "count");
    apply(i, 2, "count");
    apply(i, 3, "count");
  }
  const std::size_t leader = stage.wait_for_leader();
  ASSERT_TRUE(stage.run_until([&] { return stage.replica(leader).links().counters().applies_refused > 0; }));
  EXPECT_EQ(cursor(leader), 0U);
  ASSERT_EQ(stage.call(erase("fill0")).status, 0);
  ASSERT_TRUE(stage.run_until([&] { return cursor(0) == 3 && cursor(1) == 3 && cursor(2) == 3; },
                              Duration::seconds(2)));
  EXPECT_EQ(stage.call(get("count")).number(), 3U);
}

TEST_F(LinkDeskTest, WhatTheGatewaysQueueDidNotTakeIsToldLater) {
  attach(0);
  stage.fill_queue_of_gateway(0, true);
  open(in, LinkDirection::inbound);
  ASSERT_TRUE(stage.run_until([&] { return stage.machine(0).link(in, LinkDirection::inbound).has_value(); }));
  stage.run_for(Duration::milliseconds(1));
  EXPECT_TRUE(told<door::Standing>(0).empty());
  stage.fill_queue_of_gateway(0, false);
  ASSERT_TRUE(stage.run_until([&] { return told<door::Standing>(0).size() == 1; }));
  stage.fill_queue_of_gateway(0, true);
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    if (i != 0) attach(i);
    apply(i, 1, "count");
  }
  ASSERT_TRUE(stage.run_until([&] { return cursor(0) == 1; }));
  stage.run_for(Duration::milliseconds(1));
  EXPECT_TRUE(told<door::Applied>(0).empty());
  stage.fill_queue_of_gateway(0, false);
  ASSERT_TRUE(stage.run_until([&] { return told<door::Applied>(0).size() == 1; }));
  EXPECT_EQ(told<door::Applied>(0)[0].first.cursor, BatchNumber(1));
}

// A promotion: what was ordered before it is forgotten everywhere, and each gateway hears why.
TEST_F(LinkDeskTest, ARaisedFenceIsToldAndEndsWhatWasOrderedBefore) {
  open(in, LinkDirection::inbound);
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    attach(i);
    apply(i, 1, "count");
  }
  ASSERT_TRUE(stage.run_until([&] { return cursor(0) == 1 && cursor(1) == 1 && cursor(2) == 1; }));
  const std::size_t leader = stage.wait_for_leader();
  const std::size_t free = stage.pool((leader + 1) % ReplicaStage::replicas).free_bytes();
  // The gateways of the followers are ahead when the fence is raised.
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    if (i != leader) apply(i, 3, "count");
  }
  const std::uint64_t raised = stage.submit(leader, raise_fence(4), door::Role::operations);
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(raised) != nullptr; }));
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    ASSERT_TRUE(stage.run_until([&] { return !told<door::Fenced>(i).empty(); })) << i;
    EXPECT_EQ(told<door::Fenced>(i)[0].first.fence, Fence(4));
    EXPECT_EQ(told<door::Applied>(i).back().first.cursor, BatchNumber(1)) << "was told before";
  }
  EXPECT_EQ(stage.pool((leader + 1) % ReplicaStage::replicas).free_bytes(), free);
  const std::uint64_t proposed = stage.replica(leader).links().counters().applies_proposed;
  apply(leader, 2, "count");
  stage.run_for(Duration::milliseconds(2));
  EXPECT_EQ(stage.replica(leader).links().counters().applies_fenced, 1U);
  EXPECT_EQ(stage.replica(leader).links().counters().applies_proposed, proposed) << "it costs no entry";
  EXPECT_EQ(cursor(leader), 1U);
  apply(leader, 2, "count", 4);
  ASSERT_TRUE(stage.run_until([&] { return cursor(leader) == 2; }));
  EXPECT_EQ(told<door::Fenced>(leader).size(), 1U) << "once";
  attach(leader);
  EXPECT_EQ(told<door::Attached>(leader).back().first.fence, Fence(4));
}

TEST_F(LinkDeskTest, AFenceIsToldBehindWhatWasAppliedBeforeItHoweverFullTheQueue) {
  open(in, LinkDirection::inbound);
  attach(0);
  stage.fill_queue_of_gateway(0, true);
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    if (i != 0) attach(i);
    apply(i, 1, "count");
  }
  ASSERT_TRUE(stage.run_until([&] { return cursor(0) == 1; }));
  const std::uint64_t raised = stage.submit(stage.wait_for_leader(), raise_fence(1), door::Role::operations);
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(raised) != nullptr; }));
  ASSERT_TRUE(stage.run_until([&] { return stage.machine(0).fence() == Fence(1); }));
  stage.run_for(Duration::milliseconds(1));
  stage.fill_queue_of_gateway(0, false);
  ASSERT_TRUE(stage.run_until([&] { return !told<door::Fenced>(0).empty(); }));
  ASSERT_EQ(told<door::Applied>(0).size(), 1U);
  EXPECT_TRUE(std::holds_alternative<door::Fenced>(stage.told(0).back().message));
}

TEST_F(LinkDeskTest, AGatewayThatGoesTakesItsOrdersAlong) {
  open(in, LinkDirection::inbound);
  const std::size_t follower = (stage.wait_for_leader() + 1) % ReplicaStage::replicas;
  const std::size_t free = stage.pool(follower).free_bytes();
  attach(follower);
  apply(follower, 1, "count");
  EXPECT_LT(stage.pool(follower).free_bytes(), free);
  stage.replica(follower).on_closed({2, 2});
  EXPECT_EQ(stage.pool(follower).free_bytes(), free);
}

}  // namespace
}  // namespace mallard::rsm
