#include "cli/kv/kv_write.h"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "rsm/machine/kv_reply.h"
#include "tests/cli/kv/staged_cluster.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {
namespace {

using transport::door::ReplyStatus;

constexpr Duration patience = Duration::seconds(20);
// Enough to open a session in on a loaded machine; less than a silent replica is given.
constexpr Duration short_patience = Duration::seconds(1);

std::vector<std::byte> increment(std::string_view key, const std::optional<rsm::SessionTag>& tag) {
  rsm::KvCommand command{.operation = rsm::KvOperation::increment, .session = tag};
  command.write = {.key = std::as_bytes(std::span(key)), .amount = 1};
  return rsm::encode_command(command);
}

WriteReport increment_once(KvClient& client, Duration limit = patience, std::uint64_t session = 0) {
  return write_once(
      client, [](const rsm::SessionTag& tag) { return increment("n", tag); }, session,
      transport::EventLoop::now() + limit);
}

std::uint64_t sum_in(const WriteReport& report) {
  const auto reply = rsm::decode_reply(report.answer->bytes);
  EXPECT_TRUE(reply && reply->status == rsm::KvStatus::ok);
  return ByteReader(reply->body).read<std::uint64_t>();
}

class OneLoss : public ::testing::TestWithParam<Treatment> {};

// Whatever becomes of the first attempt, the write is executed once, and the answer is that of its execution.
TEST_P(OneLoss, a_write_is_executed_once_and_answered) {
  StagedCluster cluster({.doors = 2, .treatments = {GetParam()}});
  KvClient client(cluster.directories());
  const WriteReport report = increment_once(client);
  ASSERT_EQ(report.outcome, WriteOutcome::answered);
  EXPECT_EQ(sum_in(report), 1U);
  const WriteReport second = increment_once(client);
  ASSERT_EQ(second.outcome, WriteOutcome::answered);
  EXPECT_EQ(sum_in(second), 2U);
  cluster.stop();
  EXPECT_EQ(cluster.sum_of("n"), 2U);
}

INSTANTIATE_TEST_SUITE_P(KvWrite, OneLoss,
                         ::testing::Values(Treatment::answers, Treatment::executes_and_hangs_up,
                                           Treatment::executes_in_silence, Treatment::hangs_up,
                                           Treatment::turns_away, Treatment::says_nothing));

TEST(KvWrite, is_executed_once_however_often_it_is_lost) {
  StagedCluster cluster(
      {.doors = 3,
       .treatments = {Treatment::hangs_up, Treatment::executes_and_hangs_up, Treatment::turns_away,
                      Treatment::executes_and_hangs_up, Treatment::executes_and_hangs_up}});
  KvClient client(cluster.directories());
  const WriteReport report = increment_once(client);
  ASSERT_EQ(report.outcome, WriteOutcome::answered);
  EXPECT_EQ(sum_in(report), 1U);
  cluster.stop();
  EXPECT_EQ(cluster.sum_of("n"), 1U);
}

TEST(KvWrite, leaves_no_session_behind) {
  StagedCluster cluster({});
  {
    KvClient client(cluster.directories());
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(increment_once(client).outcome, WriteOutcome::answered);
    }
    // What comes behind the last close has been executed after it.
    client.ask(increment("m", {}), Repeat::always);
    ASSERT_TRUE(client.turn(transport::EventLoop::now() + patience));
  }
  cluster.stop();
  EXPECT_EQ(cluster.open_sessions(), 0U);
}

TEST(KvWrite, of_which_nobody_says_anything_is_unknown_until_it_is_asked_again_in_its_session) {
  for (const Treatment first : {Treatment::executes_in_silence, Treatment::says_nothing}) {
    StagedCluster cluster({.treatments = {first}});
    std::uint64_t session = 0;
    {
      KvClient client(cluster.directories());
      const WriteReport report = increment_once(client, short_patience);
      ASSERT_EQ(report.outcome, WriteOutcome::unknown);
      ASSERT_NE(report.session, 0U);
      session = report.session;
    }
    KvClient another(cluster.directories());
    const WriteReport report = increment_once(another, patience, session);
    ASSERT_EQ(report.outcome, WriteOutcome::answered);
    EXPECT_EQ(sum_in(report), 1U);
    // It is closed now: what was executed cannot be executed again, nor be told.
    const WriteReport late = increment_once(another, patience, session);
    EXPECT_EQ(late.outcome, WriteOutcome::unknown);
    EXPECT_EQ(late.session, 0U);
    cluster.stop();
    EXPECT_EQ(cluster.sum_of("n"), 1U);
  }
}

TEST(KvWrite, that_nobody_takes_is_not_executed) {
  StagedCluster cluster({.has_leader = false});
  KvClient client(cluster.directories());
  EXPECT_EQ(increment_once(client, short_patience).outcome, WriteOutcome::too_late);
  // An earlier attempt in the session may have been.
  EXPECT_EQ(increment_once(client, short_patience, 7).outcome, WriteOutcome::unknown);
}

TEST(KvWrite, that_is_turned_away_until_the_time_is_over_is_not_executed) {
  StagedCluster cluster({.treatments = std::deque<Treatment>(10'000, Treatment::turns_away)});
  KvClient client(cluster.directories());
  // The time may also be over between a question and its answer, where the client cannot know.
  WriteReport report{.outcome = WriteOutcome::unknown};
  for (int i = 0; i < 20 && report.outcome == WriteOutcome::unknown; ++i) {
    report = increment_once(client, short_patience);
  }
  EXPECT_EQ(report.outcome, WriteOutcome::too_late);
  EXPECT_NE(report.session, 0U);
  cluster.stop();
  EXPECT_EQ(cluster.sum_of("n"), 0U);
}

TEST(KvWrite, whose_session_is_evicted_is_unknown_where_it_was_lost_and_else_not_executed) {
  // There is room for one session, and somebody else opens one while the write is under way.
  StagedCluster cluster({.treatments = {Treatment::executes_in_silence}, .sessions_max = 1});
  KvClient client(cluster.directories());
  const WriteReport lost = increment_once(client, short_patience);
  ASSERT_EQ(lost.outcome, WriteOutcome::unknown);
  KvClient other(cluster.directories());
  ASSERT_EQ(increment_once(other).outcome, WriteOutcome::answered);
  const WriteReport report = increment_once(client, patience, lost.session);
  EXPECT_EQ(report.outcome, WriteOutcome::unknown);
  EXPECT_EQ(report.session, 0U);
  cluster.stop();
  EXPECT_EQ(cluster.sum_of("n"), 2U);
}

TEST(KvWrite, in_a_session_that_was_used_for_another_write_is_refused) {
  StagedCluster cluster({.treatments = {Treatment::executes_in_silence}});
  KvClient client(cluster.directories());
  const WriteReport lost = increment_once(client, short_patience);
  ASSERT_EQ(lost.outcome, WriteOutcome::unknown);
  const WriteReport report = write_once(
      client, [](const rsm::SessionTag& tag) { return increment("another", tag); }, lost.session,
      transport::EventLoop::now() + patience);
  ASSERT_EQ(report.outcome, WriteOutcome::answered);
  EXPECT_EQ(rsm::decode_reply(report.answer->bytes)->status, rsm::KvStatus::request_changed);
  // It is still there for the write that it was opened for.
  EXPECT_EQ(increment_once(client, patience, lost.session).outcome, WriteOutcome::answered);
  cluster.stop();
  EXPECT_EQ(cluster.sum_of("another"), 0U);
  EXPECT_EQ(cluster.sum_of("n"), 1U);
}

}  // namespace
}  // namespace mallard::cli
