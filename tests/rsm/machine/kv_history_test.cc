#include "rsm/machine/kv_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rsm/machine/kv_reply.h"
#include "rsm/machine/link_command.h"
#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"
#include "tests/support/alloc_guard.h"

namespace mallard::rsm {
namespace {

struct Change {
  std::uint64_t index = 0;
  KvOperation operation = KvOperation::put;
  std::string key;
  std::string value;
  friend bool operator==(const Change&, const Change&) = default;
};

struct Page {
  KvStatus status = KvStatus::ok;
  std::uint64_t go_on_from = 0;  // of history_gone, the oldest index
  std::vector<Change> changes;
};

Page page_of(const KvReply& reply) {
  Page page{.status = reply.status, .changes = {}};
  if (reply.status != KvStatus::ok) {
    page.go_on_from = ByteReader(reply.body).read<std::uint64_t>();
    return page;
  }
  KvChangeList list(reply.body);
  page.go_on_from = list.go_on_from();
  while (const auto change = list.next()) {
    page.changes.push_back(
        {change->index.value, change->operation, text(change->entry.key), text(change->entry.value)});
  }
  EXPECT_TRUE(list.ok());
  return page;
}

Page ask(const KvHistory& history, std::uint64_t from, std::uint64_t through, std::string_view prefix = "",
         std::uint32_t bytes_max = UINT32_MAX) {
  static Bytes reply(reply_bytes_max);
  const std::size_t used = history.answer({.from = from, .prefix = bytes(prefix), .bytes_max = bytes_max},
                                          CommitIndex(through), reply);
  return page_of(*decode_reply(ByteView(reply).first(used)));
}

TEST(KvHistory, says_from_where_on_nothing_has_happened_yet) {
  KvHistory history(history_bytes_min);
  EXPECT_EQ(ask(history, 0, 0).go_on_from, 1U);
  history.add(CommitIndex(3), KvOperation::put, bytes("a"), bytes("1"));
  const Page now = ask(history, 0, 7);
  EXPECT_EQ(now.go_on_from, 8U);
  EXPECT_TRUE(now.changes.empty());
  const Page again = ask(history, 8, 7);
  EXPECT_EQ(again.go_on_from, 8U);
  EXPECT_TRUE(again.changes.empty());
  EXPECT_EQ(ask(history, 100, 7).go_on_from, 100U) << "a replica that lags keeps the place";
}

TEST(KvHistory, an_answer_has_whole_entries_up_to_its_index) {
  KvHistory history(history_bytes_min);
  history.add(CommitIndex(2), KvOperation::put, bytes("a"), bytes("1"));
  history.add(CommitIndex(2), KvOperation::put, bytes("b"), bytes("1"));
  history.add(CommitIndex(5), KvOperation::erase, bytes("a"), {});
  history.add(CommitIndex(9), KvOperation::put, bytes("c"), bytes("3"));
  const std::vector<Change> all{{2, KvOperation::put, "a", "1"},
                                {2, KvOperation::put, "b", "1"},
                                {5, KvOperation::erase, "a", ""},
                                {9, KvOperation::put, "c", "3"}};
  EXPECT_EQ(ask(history, 1, 9).changes, all);
  EXPECT_EQ(ask(history, 3, 9).changes, (std::vector<Change>{all[2], all[3]}));
  EXPECT_EQ(ask(history, 1, 8).changes, (std::vector<Change>{all[0], all[1], all[2]}));
  EXPECT_EQ(ask(history, 1, 9, "a").changes, (std::vector<Change>{all[0], all[2]}));
  // One entry at least, however little may be sent; and never a part of one.
  const Page little = ask(history, 1, 9, "", 1);
  EXPECT_EQ(little.changes, (std::vector<Change>{all[0], all[1]}));
  EXPECT_EQ(little.go_on_from, 5U);
  const Page more = ask(history, 1, 9, "", 3 * (change_head_bytes + 2) - 1);
  EXPECT_EQ(more.changes.size(), 3U);
  EXPECT_EQ(more.go_on_from, 9U);
}

TEST(KvHistory, who_comes_too_late_is_told_where_it_begins) {
  KvHistory history(history_bytes_min);
  const std::string value(100'000, 'v');
  for (std::uint64_t i = 1; i <= 30; ++i) {
    history.add(CommitIndex(2 * i), KvOperation::put, bytes("k"), bytes(value));
  }
  const Page late = ask(history, 1, 60);
  EXPECT_EQ(late.status, KvStatus::history_gone);
  const std::uint64_t kept = history_bytes_min / (change_head_bytes + 1 + value.size());
  EXPECT_EQ(late.go_on_from, 60 - 2 * kept + 1);
  EXPECT_EQ(ask(history, late.go_on_from - 1, 60).status, KvStatus::history_gone);
  const Page oldest = ask(history, late.go_on_from, 60);
  ASSERT_EQ(oldest.status, KvStatus::ok);
  EXPECT_EQ(oldest.changes[0].index, late.go_on_from + 1);
  // After an import nothing is known of what led there.
  history.begin(CommitIndex(70));
  EXPECT_EQ(ask(history, 70, 70).go_on_from, 71U);
  EXPECT_EQ(ask(history, 70, 70).status, KvStatus::history_gone);
  EXPECT_EQ(ask(history, 71, 70).status, KvStatus::ok);
}

TEST(KvHistory, the_largest_entries_fit_the_smallest_ring_and_one_answer) {
  KvHistory history(history_bytes_min);
  const std::string key(key_bytes_max, 'k');
  const std::string value(value_bytes_max, 'v');
  history.add(CommitIndex(1), KvOperation::put, bytes(key), bytes(value));
  EXPECT_EQ(ask(history, 1, 1).changes.at(0).value, value);
  // As many messages as a batch has, which fill it: with their lengths in front they are 9 bytes and these.
  const std::string small(batch_bytes_max / batch_messages_max - 9 - 1, 's');
  for (std::size_t i = 0; i < batch_messages_max; ++i) {
    history.add(CommitIndex(2), KvOperation::put, bytes("k"), bytes(small));
  }
  const Page page = ask(history, 2, 2);
  ASSERT_EQ(page.status, KvStatus::ok);
  EXPECT_EQ(page.changes.size(), batch_messages_max);
  EXPECT_EQ(page.go_on_from, 3U);
}

// All changes that ever were, and how a client goes through them.
TEST(KvHistory, a_client_sees_what_a_list_of_all_changes_has) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    MachineStage stage;
    Prng prng(seed);
    std::map<std::string, std::string> before;
    std::vector<Change> all;
    std::vector<Change> seen;
    std::uint64_t from = 1;
    for (int i = 0; i < 3'000; ++i) {
      stage.run(random_command(prng));
      const Entries now = stage.scan("");
      const std::map<std::string, std::string> after(now.begin(), now.end());
      const std::uint64_t index = stage.machine.applied().value;
      std::map<std::string, Change> changed;
      for (const auto& [key, value] : before) {
        if (!after.contains(key)) {
          changed[key] = {index, KvOperation::erase, key, ""};
        }
      }
      for (const auto& [key, value] : after) {
        if (!before.contains(key) || before[key] != value) {
          changed[key] = {index, KvOperation::put, key, value};
        }
      }
      for (const auto& [key, change] : changed) {
        if (key.starts_with("a")) {
          all.push_back(change);
        }
      }
      before = after;
      if (prng.below(10) == 0) {
        const auto pages = prng.below(4);
        for (std::uint64_t page = 0; page < pages; ++page) {
          KvCommand command{.operation = KvOperation::changes};
          command.changes = {.from = from, .prefix = bytes("a"), .bytes_max = 100};
          Bytes reply(reply_bytes_max);
          const auto used = stage.machine.query(ViewId{}, encode_command(command), reply);
          const Page got = page_of(*decode_reply(ByteView(reply).first(*used)));
          ASSERT_EQ(got.status, KvStatus::ok);
          seen.insert(seen.end(), got.changes.begin(), got.changes.end());
          from = got.go_on_from;
        }
      }
    }
    // A put of what is there already changes nothing that a scan shows, and is told all the same.
    std::map<std::string, std::string> replayed;
    std::vector<Change> that_show;
    for (const Change& change : seen) {
      if (change.operation == KvOperation::erase) {
        replayed.erase(change.key);
        that_show.push_back(change);
      } else if (!replayed.contains(change.key) || replayed[change.key] != change.value) {
        replayed[change.key] = change.value;
        that_show.push_back(change);
      }
    }
    ASSERT_GT(that_show.size(), 200U);
    all.resize(that_show.size());
    EXPECT_EQ(that_show, all);
  }
}

TEST(KvHistory, tells_what_came_over_a_link_and_nothing_of_what_was_refused) {
  MachineStage stage;
  stage.run(encode_link_open(LinkIndex(0), LinkDirection::inbound, Generation(1), {}));
  const std::string messages = std::string("\7\0\0\0\1\0\0\0aP1", 11);
  const LinkApplyOrder order{.link = LinkIndex(0),
                             .generation = Generation(1),
                             .batch = BatchNumber(1),
                             .first = MessageNumber(1),
                             .count = 1,
                             .messages = bytes(messages)};
  EXPECT_EQ(stage.run(encode_link_apply(order)).status, KvStatus::ok);
  EXPECT_EQ(stage.run(encode_link_apply(order)).status, KvStatus::not_next);
  stage.put("b", "text");
  EXPECT_EQ(stage.increment("b", 1).status, KvStatus::not_a_number);
  EXPECT_EQ(stage.erase("none").status, KvStatus::not_found);
  KvCommand command{.operation = KvOperation::changes};
  command.changes.from = 1;
  Bytes reply(reply_bytes_max);
  const auto used = stage.machine.query(ViewId{}, encode_command(command), reply);
  const Page page = page_of(*decode_reply(ByteView(reply).first(*used)));
  EXPECT_EQ(page.changes,
            (std::vector<Change>{{2, KvOperation::put, "a", "1"}, {4, KvOperation::put, "b", "text"}}));
  EXPECT_EQ(page.go_on_from, 7U);
  // In the log it is no command: what replicas answer there is the same on all of them.
  EXPECT_EQ(stage.run(encode_command(command)).status, KvStatus::malformed);
}

TEST(KvHistory, begins_anew_with_an_imported_state) {
  MachineStage from;
  from.put("a", "1");
  from.put("b", "2");
  MachineStage to;
  to.put("old", "x");
  to.machine.begin_import(from.identity());
  for (const Bytes& chunk : from.export_all()) {
    ASSERT_TRUE(to.machine.import_chunk(chunk).has_value());
  }
  to.put("c", "3");
  KvCommand command{.operation = KvOperation::changes};
  const auto ask_machine = [&](std::uint64_t index) {
    command.changes.from = index;
    Bytes reply(reply_bytes_max);
    const auto used = to.machine.query(ViewId{}, encode_command(command), reply);
    return page_of(*decode_reply(ByteView(reply).first(*used)));
  };
  EXPECT_EQ(ask_machine(2).status, KvStatus::history_gone);
  EXPECT_EQ(ask_machine(2).go_on_from, 3U);
  EXPECT_EQ(ask_machine(3).changes, (std::vector<Change>{{3, KvOperation::put, "c", "3"}}));
}

TEST(KvHistory, does_not_allocate) {
  KvHistory history(history_bytes_min);
  Bytes reply(reply_bytes_max);
  const support::AllocGuard guard;
  for (std::uint64_t i = 1; i <= 100'000; ++i) {
    history.add(CommitIndex(i), KvOperation::put, bytes("key"), bytes("value"));
  }
  static_cast<void>(history.answer({.from = 99'000, .prefix = {}}, CommitIndex(100'000), reply));
  EXPECT_EQ(guard.allocations(), 0U);
}

}  // namespace
}  // namespace mallard::rsm
