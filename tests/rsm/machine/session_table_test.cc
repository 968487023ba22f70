#include "rsm/machine/session_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

constexpr std::uint64_t owner = 42;

SessionTag tag_of(std::uint64_t session, std::uint64_t sequence, std::uint64_t who = owner) {
  return {.session = session, .sequence = sequence, .owner = who};
}

TEST(Sessions, a_repeated_request_is_executed_once_and_answered_alike) {
  MachineStage stage;
  const std::uint64_t session = stage.open_session(owner);
  const Bytes request = increment_command("n", 7, tag_of(session, 1));
  const Answer first = stage.run(request);
  EXPECT_EQ(first.number(), 7U);
  stage.put("other", "x");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(stage.run(request), first);
  }
  EXPECT_EQ(stage.get("n").number(), 7U);
  EXPECT_EQ(stage.run(increment_command("n", 7, tag_of(session, 2))).number(), 14U);
  EXPECT_EQ(stage.run(request).status, KvStatus::request_outdated);
  EXPECT_EQ(stage.get("n").number(), 14U);
}

TEST(Sessions, refusals_are_replies_too) {
  MachineStage stage;
  stage.put("text", "x");
  const std::uint64_t session = stage.open_session(owner);
  const Bytes request = increment_command("text", 1, tag_of(session, 1));
  const Answer refused = stage.run(request);
  EXPECT_EQ(refused.status, KvStatus::not_a_number);
  stage.erase("text");
  EXPECT_EQ(stage.run(request), refused);
}

TEST(Sessions, the_same_number_with_another_request_is_refused) {
  MachineStage stage;
  const std::uint64_t session = stage.open_session(owner);
  stage.run(put_command("a", "1", tag_of(session, 1)));
  EXPECT_EQ(stage.run(put_command("a", "2", tag_of(session, 1))).status, KvStatus::request_changed);
  EXPECT_EQ(stage.run(erase_command("a", tag_of(session, 1))).status, KvStatus::request_changed);
  EXPECT_EQ(stage.get("a").body, "1");
}

TEST(Sessions, belong_to_who_opened_them) {
  MachineStage stage;
  const std::uint64_t session = stage.open_session(owner);
  EXPECT_EQ(stage.run(put_command("a", "1", tag_of(session, 1, 43))).status, KvStatus::session_not_owned);
  EXPECT_EQ(stage.run(close_command(session, 43)).status, KvStatus::session_not_owned);
  EXPECT_EQ(stage.get("a").status, KvStatus::not_found);
  EXPECT_EQ(stage.run(close_command(session, owner)).status, KvStatus::ok);
  EXPECT_EQ(stage.run(close_command(session, owner)).status, KvStatus::not_found);
  EXPECT_EQ(stage.run(put_command("a", "1", tag_of(session, 1))).status, KvStatus::session_gone);
  EXPECT_EQ(stage.get("a").status, KvStatus::not_found);
}

TEST(Sessions, numbers_may_be_left_out_but_do_not_start_at_0) {
  MachineStage stage;
  const std::uint64_t session = stage.open_session(owner);
  EXPECT_EQ(stage.run(put_command("a", "0", tag_of(session, 0))).status, KvStatus::request_outdated);
  EXPECT_EQ(stage.run(put_command("a", "5", tag_of(session, 5))).status, KvStatus::ok);
  EXPECT_EQ(stage.run(put_command("a", "4", tag_of(session, 4))).status, KvStatus::request_outdated);
  EXPECT_EQ(stage.get("a").body, "5");
}

TEST(Sessions, the_reply_to_the_largest_transaction_is_kept) {
  MachineStage stage;
  const std::uint64_t session = stage.open_session(owner);
  std::vector<std::string> keys;
  keys.reserve(txn_writes_max);
  for (std::size_t i = 0; i < txn_writes_max; ++i) {
    keys.push_back("key" + std::to_string(1'000 + i));
  }
  std::vector<KvWrite> writes;
  writes.reserve(keys.size());
  for (const std::string& key : keys) {
    writes.push_back({.operation = KvOperation::increment, .key = bytes(key), .amount = 2});
  }
  const Bytes request = encode_txn({}, writes, tag_of(session, 1));
  const Answer first = stage.run(request);
  EXPECT_EQ(first.number(txn_writes_max - 1), 2U);
  EXPECT_EQ(stage.run(request), first);
}

// Which sessions are open, by the rule alone: the one whose last use is longest ago goes.
class SlowSessions {
 public:
  explicit SlowSessions(std::size_t max) : max_(max) {}
  void open(std::uint64_t index) {
    if (used_at_.size() == max_) {
      auto oldest = used_at_.begin();
      for (auto it = used_at_.begin(); it != used_at_.end(); ++it) {
        oldest = it->second < oldest->second ? it : oldest;
      }
      used_at_.erase(oldest);
    }
    used_at_[index] = index;
  }
  bool use(std::uint64_t session, std::uint64_t index) {
    const bool open = used_at_.contains(session);
    if (open) used_at_[session] = index;
    return open;
  }
  [[nodiscard]] std::size_t size() const { return used_at_.size(); }

 private:
  std::size_t max_;
  std::map<std::uint64_t, std::uint64_t> used_at_;
};

TEST(Sessions, the_one_unused_for_longest_is_evicted_and_its_requests_are_not_executed) {
  KvSettings settings = MachineStage::small();
  settings.sessions_max = 8;
  MachineStage stage(settings);
  SlowSessions slow(8);
  Prng prng(3);
  std::vector<std::uint64_t> sessions;
  std::uint64_t executed = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    if (sessions.empty() || prng.below(10) == 0) {
      sessions.push_back(stage.open_session(owner));
      slow.open(sessions.back());
    }
    const std::size_t among = std::min<std::size_t>(sessions.size(), 14);
    const std::uint64_t session = sessions[sessions.size() - 1 - prng.below(among)];
    const bool open = slow.use(session, stage.machine.applied().value + 1);
    const Answer answer = stage.run(increment_command("n", 1, tag_of(session, i)));
    ASSERT_EQ(answer.status, open ? KvStatus::ok : KvStatus::session_gone);
    executed += open ? 1U : 0U;
    refused += open ? 0U : 1U;
    ASSERT_EQ(stage.machine.open_sessions(), slow.size());
  }
  EXPECT_EQ(stage.get("n").number(), executed);
  EXPECT_GT(refused, 100U);
}

TEST(Sessions, a_flood_of_them_takes_no_more_memory_than_the_table) {
  KvSettings settings = MachineStage::small();
  settings.sessions_max = 16;
  MachineStage stage(settings);
  for (int i = 0; i < 10'000; ++i) {
    static_cast<void>(stage.open_session(owner));
  }
  EXPECT_EQ(stage.machine.open_sessions(), 16U);
  EXPECT_EQ(stage.machine.state_bytes_used(), 0U);
}

TEST(Sessions, are_part_of_the_state) {
  MachineStage one;
  MachineStage other;
  const std::uint64_t session = one.open_session(owner);
  EXPECT_EQ(other.open_session(owner), session);
  EXPECT_EQ(one.hash(), other.hash());
  one.run(put_command("a", "1", tag_of(session, 1)));
  other.run(put_command("a", "1", tag_of(session, 2)));
  EXPECT_EQ(one.machine.root(ViewId{}, KeyRange{}).value(), other.machine.root(ViewId{}, KeyRange{}).value());
  EXPECT_NE(one.hash(), other.hash());
}

}  // namespace
}  // namespace mallard::rsm
