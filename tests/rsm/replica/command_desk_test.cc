#include "rsm/replica/command_desk.h"

#include <gtest/gtest.h>

#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/replica_stage.h"

namespace mallard::rsm {
namespace {

namespace door = transport::door;
using door::ReplyStatus;

class RecordingDoor final : public DoorPort {
 public:
  bool send(door::DoorConnection /*to*/, const door::DoorMessage& message) override {
    replies.push_back(std::get<door::Reply>(message));
    return true;
  }
  void close(door::DoorConnection /*connection*/) override {}
  std::vector<door::Reply> replies;
};

class CommandDeskTest : public testing::Test {
 protected:
  door::Submit order(std::uint64_t request, const std::vector<std::byte>& command) {
    const PayloadRef slot = *pool.allocate(command.size());
    ByteWriter(pool.span(slot)).write_bytes(command);
    return {.request = request, .command = slot};
  }

  PayloadPool pool{PayloadPool::slot_bytes_max};
  RecordingDoor door_end;
  KvMachine machine{{.state_bytes = 1U << 20, .view_bytes = 1U << 20}};
  const CommandDesk::Ports ports{pool, door_end, machine};
  const door::DoorPeer client{door::Role::client, {.process = 1, .user = 7}, {}};
  const door::DoorPeer far_client{door::Role::client, {}, 1};
  const std::vector<ClientGrant> grants{{.owner = 50, .prefixes = {"web/"}},
                                        {.owner = 51, .prefixes = {"app/", "shared/"}}};
};

TEST_F(CommandDeskTest, TurnsAwayWhatHasNoRoom) {
  CommandDesk desk({.waiting_max = 2}, ports);
  const std::size_t free = pool.free_bytes();
  EXPECT_TRUE(desk.submit({}, client, order(1, put("a", "1"))));
  EXPECT_TRUE(desk.submit({}, client, order(2, put("a", "2"))));
  EXPECT_FALSE(desk.submit({}, client, order(3, put("a", "3"))));
  ASSERT_EQ(door_end.replies.size(), 1U);
  EXPECT_EQ(door_end.replies[0].request, 3U);
  EXPECT_EQ(door_end.replies[0].status, ReplyStatus::busy);
  EXPECT_EQ(free - pool.free_bytes(), 2 * PayloadPool::unit_bytes) << "what was turned away holds nothing";
}

TEST_F(CommandDeskTest, ChecksPrefixesOfClientsFromElsewhere) {
  CommandDesk desk({.waiting_max = 16, .clients = grants}, ports);
  EXPECT_TRUE(desk.submit({}, far_client, order(1, put("app/a", "1"))));
  EXPECT_TRUE(desk.submit({}, far_client, order(2, put("shared/a", "1"))));
  EXPECT_FALSE(desk.submit({}, far_client, order(3, get("app/a")))) << "a read waits for no log";
  KvScan within{.prefix = text_bytes("app/b"), .after = {}};
  EXPECT_FALSE(desk.submit(
      {}, far_client, order(4, encode_command(KvCommand{.operation = KvOperation::scan, .scan = within}))));
  EXPECT_TRUE(door_end.replies.empty());
  within.prefix = text_bytes("ap");
  const std::vector<std::vector<std::byte>> forbidden{
      put("web/a", "1"),
      put("other", "1"),
      put("app", "1"),
      get("web/a"),
      encode_command(KvCommand{.operation = KvOperation::scan}),
      encode_command(KvCommand{.operation = KvOperation::scan, .scan = within}),
      encode_command(
          KvCommand{.operation = KvOperation::increment, .write = {.key = text_bytes("other"), .amount = 1}}),
      encode_command(KvCommand{.operation = KvOperation::erase, .write = {.key = text_bytes("other")}}),
      encode_command(KvCommand{.operation = KvOperation::fence_raise, .number = 7})};
  for (const auto& command : forbidden) {
    EXPECT_FALSE(desk.submit({}, far_client, order(9, command)));
    EXPECT_EQ(door_end.replies.back().status, ReplyStatus::forbidden);
    desk.read_locally({}, far_client, order(10, command));
    EXPECT_EQ(door_end.replies.back().status, ReplyStatus::forbidden);
  }
  EXPECT_EQ(desk.counters().forbidden, 2 * forbidden.size());
  EXPECT_EQ(desk.counters().refused, 0U);
  const door::DoorPeer operations{door::Role::operations, {}, {}};
  EXPECT_TRUE(desk.submit({}, operations, order(11, put("other", "1"))));
  EXPECT_TRUE(desk.submit({}, client, order(12, put("other", "1")))) << "who is on the machine";
}

TEST_F(CommandDeskTest, WritesWhoItIsIntoACommandOfASession) {
  CommandDesk desk({.waiting_max = 16, .clients = grants}, ports);
  const auto forged =
      encode_command(KvCommand{.operation = KvOperation::put,
                               .session = SessionTag{.session = 1, .sequence = 1, .owner = 50},
                               .write = {.key = text_bytes("app/a")}});
  const auto owner_in = [&](const door::DoorPeer& peer) {
    const door::Submit submit = order(1, forged);
    pool.retain(submit.command);
    EXPECT_TRUE(desk.submit({}, peer, submit));
    const std::uint64_t owner = decode_command(pool.view(submit.command))->session->owner;
    pool.release(submit.command);
    return owner;
  };
  EXPECT_EQ(owner_in(far_client), 51U);
  EXPECT_EQ(owner_in(client), 7U);
}

TEST_F(CommandDeskTest, LargeAnswersLeaveHalfOfThePool) {
  CommandDesk desk({.waiting_max = 4}, ports);
  EgressLog egress({.links = 1});
  machine.apply(CommitIndex(1), put("large", std::string(100'000, 'v')), {}, egress);
  desk.read_locally({}, client, order(1, get("large")));
  EXPECT_EQ(door_end.replies.back().status, ReplyStatus::done);
  const PayloadRef taken = *pool.allocate(pool.capacity() / 2);
  const PayloadRef more = *pool.allocate(PayloadPool::unit_bytes);
  desk.read_locally({}, client, order(2, get("large")));
  EXPECT_EQ(door_end.replies.back().status, ReplyStatus::busy);
  desk.read_locally({}, client, order(3, get("small")));
  EXPECT_EQ(door_end.replies.back().status, ReplyStatus::done);
  pool.release(taken);
  pool.release(more);
}

TEST_F(CommandDeskTest, AnswersLocalReadsAndNothingElseThere) {
  CommandDesk desk({.waiting_max = 4, .clients = grants}, ports);
  EgressLog egress({.links = 1});
  machine.apply(CommitIndex(1), put("app/a", "value"), {}, egress);
  const std::size_t free = pool.free_bytes();
  desk.read_locally({}, far_client, order(1, get("app/a")));
  desk.read_locally({}, far_client, order(2, get("other")));
  desk.read_locally({}, far_client, order(3, put("app/a", "2")));
  ASSERT_EQ(door_end.replies.size(), 3U);
  EXPECT_EQ(door_end.replies[0].status, ReplyStatus::done);
  EXPECT_EQ(door_end.replies[0].bytes.bytes, reply_head_bytes + 5) << "the value";
  EXPECT_EQ(door_end.replies[1].status, ReplyStatus::forbidden) << "not a key of this client";
  EXPECT_EQ(door_end.replies[2].status, ReplyStatus::refused) << "a write";
  EXPECT_EQ(pool.free_bytes(), free) << "the desk keeps nothing";
  EXPECT_EQ(desk.counters().local_reads, 1U);
}

TEST_F(CommandDeskTest, AnswersReadsWhenWhatTheyMustSeeWasExecuted) {
  CommandDesk desk({.waiting_max = 4}, ports);
  EgressLog egress({.links = 1});
  const std::size_t free = pool.free_bytes();
  EXPECT_FALSE(desk.submit({}, client, order(1, get("a")))) << "it needs no log";
  EXPECT_FALSE(desk.submit({}, client, order(2, get("a"))));
  EXPECT_FALSE(desk.answer_reads(CommitIndex(100))) << "nobody has confirmed anything";
  desk.confirm_reads(1, CommitIndex(7));
  EXPECT_FALSE(desk.answer_reads(CommitIndex(6)));
  machine.apply(CommitIndex(7), put("a", "value"), {}, egress);
  EXPECT_TRUE(desk.answer_reads(CommitIndex(7)));
  ASSERT_EQ(door_end.replies.size(), 1U);
  EXPECT_EQ(door_end.replies[0].request, 1U);
  EXPECT_EQ(door_end.replies[0].status, ReplyStatus::done);
  EXPECT_EQ(door_end.replies[0].bytes.bytes, reply_head_bytes + 5) << "the value";
  desk.turn_away_reads();
  ASSERT_EQ(door_end.replies.size(), 2U);
  EXPECT_EQ(door_end.replies[1].request, 2U);
  EXPECT_EQ(door_end.replies[1].status, ReplyStatus::not_leader);
  EXPECT_EQ(pool.free_bytes(), free) << "the desk keeps nothing";
  EXPECT_EQ(desk.counters().reads, 1U);
}

TEST_F(CommandDeskTest, KeepsConfirmedReadsWhenOthersAreTurnedAway) {
  CommandDesk desk({.waiting_max = 2}, ports);
  desk.submit({}, client, order(1, get("a")));
  desk.submit({}, client, order(2, get("a")));
  EXPECT_FALSE(desk.submit({}, client, order(3, get("a"))));
  EXPECT_EQ(door_end.replies.at(0).status, ReplyStatus::busy);
  desk.confirm_reads(1, CommitIndex(1));
  desk.turn_away_reads();
  EXPECT_EQ(door_end.replies.at(1).request, 2U);
  desk.submit({}, client, order(4, get("a")));
  desk.confirm_reads(4, CommitIndex(1));
  EXPECT_TRUE(desk.answer_reads(CommitIndex(1)));
  ASSERT_EQ(door_end.replies.size(), 4U);
  EXPECT_EQ(door_end.replies[2].request, 1U);
  EXPECT_EQ(door_end.replies[3].request, 4U);
}

TEST_F(CommandDeskTest, WritesWhoTheOwnerIs) {
  CommandDesk desk({.waiting_max = 4}, ports);
  const auto forged = increment("a", 1, SessionTag{3, 1, 999});
  const door::Submit submit = order(1, forged);
  EXPECT_TRUE(desk.submit({}, client, submit));
  EXPECT_EQ(decode_command(pool.view(submit.command))->session->owner, 7U);
}

// The leader, after it has decided something and everybody else has died.
std::size_t leave_the_leader_alone(ReplicaStage& stage) {
  EXPECT_EQ(stage.call(put("a", "0")).status, 0);
  const std::size_t leader = stage.wait_for_leader();
  for (std::size_t i = 0; i < ReplicaStage::replicas; ++i) {
    if (i != leader) {
      stage.crash(i);
    }
  }
  return leader;
}

TEST(CommandDesk, ALeaderThatIsDeposedSaysThatItDoesNotKnow) {
  ReplicaStage stage;
  const std::size_t leader = leave_the_leader_alone(stage);
  const std::uint64_t request = stage.submit(leader, put("a", "1"));
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(request) != nullptr; }));
  EXPECT_EQ(stage.answer(request)->reply.status, ReplyStatus::unknown_outcome);
  EXPECT_EQ(stage.replica(leader).commands().counters().unknown_outcome, 1U);
  EXPECT_EQ(stage.replica(leader).commands().waiting(), 0U);
}

TEST(CommandDesk, ReadsCostNoEntry) {
  ReplicaStage stage;
  EXPECT_EQ(stage.call(put("a", "0")).status, 0);
  const std::size_t leader = stage.wait_for_leader();
  const cft::Lsn end = stage.replica(leader).engine().core().log().end().lsn;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(stage.call(get("a")).body, "0");
  }
  EXPECT_EQ(stage.replica(leader).engine().core().log().end().lsn, end);
  EXPECT_EQ(stage.replica(leader).commands().counters().reads, 10U);
}

TEST(CommandDesk, ALeaderThatNobodyConfirmsTurnsReadsAway) {
  ReplicaStage stage;
  const std::size_t leader = leave_the_leader_alone(stage);
  const std::uint64_t request = stage.submit(leader, get("a"));
  ASSERT_TRUE(stage.run_until([&] { return stage.answer(request) != nullptr; }));
  EXPECT_EQ(stage.answer(request)->reply.status, ReplyStatus::not_leader);
  EXPECT_EQ(stage.replica(leader).commands().counters().reads, 0U);
}

}  // namespace
}  // namespace mallard::rsm
