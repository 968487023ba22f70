#include "rsm/machine/kv_machine.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"
#include "tests/support/alloc_guard.h"

namespace mallard::rsm {
namespace {

std::string number_text(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>((number >> (8 * i)) & 0xffU);
  }
  return bytes;
}

// The machine's rules once more, on a map.
class SlowMachine {
 public:
  Answer run(std::uint64_t index, const Bytes& bytes_of_command) {
    const auto command = decode_command(bytes_of_command);
    Answer answer{.status = KvStatus::ok, .index = index, .body = {}};
    if (command->operation == KvOperation::get) {
      const auto found = entries.find(text(command->write.key));
      answer.status = found == entries.end() ? KvStatus::not_found : KvStatus::ok;
      answer.body = found == entries.end() ? "" : found->second;
      return answer;
    }
    if (command->operation != KvOperation::txn) {
      answer.status = write(command->write, entries, answer.body);
      return answer;
    }
    ByteReader guards(command->txn.guards);
    for (std::uint16_t i = 0; i < command->txn.guard_count; ++i) {
      if (!holds(next_guard(guards))) {
        return {.status = KvStatus::guard_failed, .index = index, .body = number_text(i).substr(0, 2)};
      }
    }
    std::map<std::string, std::string> after = entries;
    ByteReader writes(command->txn.writes);
    for (std::uint16_t i = 0; i < command->txn.write_count; ++i) {
      const KvStatus status = write(next_write(writes), after, answer.body);
      if (status == KvStatus::not_a_number) {
        return {.status = status, .index = index, .body = {}};
      }
    }
    entries = after;
    return answer;
  }

  std::map<std::string, std::string> entries;

 private:
  [[nodiscard]] bool holds(const KvGuard& guard) const {
    const auto found = entries.find(text(guard.key));
    switch (guard.condition) {
      case KvCondition::absent:
        return found == entries.end();
      case KvCondition::present:
        return found != entries.end();
      case KvCondition::equals:
        return found != entries.end() && found->second == text(guard.value);
      default:
        return false;
    }
  }
  static KvStatus write(const KvWrite& write, std::map<std::string, std::string>& to, std::string& body) {
    const std::string key = text(write.key);
    if (write.operation == KvOperation::erase) {
      return to.erase(key) == 1 ? KvStatus::ok : KvStatus::not_found;
    }
    if (write.operation == KvOperation::put) {
      to[key] = text(write.value);
      return KvStatus::ok;
    }
    if (to.contains(key) && to[key].size() != 8) {
      return KvStatus::not_a_number;
    }
    const std::uint64_t before = to.contains(key) ? ByteReader(bytes(to[key])).read<std::uint64_t>() : 0;
    to[key] = number_text(before + write.amount);
    body += to[key];
    return KvStatus::ok;
  }
};

TEST(KvMachine, does_what_a_map_does) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    MachineStage stage;
    SlowMachine slow;
    Prng prng(seed);
    for (int i = 0; i < 4'000; ++i) {
      const Bytes command = random_command(prng);
      const Answer answer = stage.run(command);
      ASSERT_EQ(answer, slow.run(stage.machine.applied().value, command));
    }
    EXPECT_EQ(stage.scan(""), Entries(slow.entries.begin(), slow.entries.end()));
    EXPECT_EQ(stage.machine.entries(), slow.entries.size());
    const auto first = slow.entries.lower_bound("b");
    const auto last = slow.entries.lower_bound("c");
    EXPECT_EQ(stage.scan("b", ViewId{}, 3), Entries(first, last));
  }
}

// Conditions of every kind and writes over few keys and values, so that about half of them hold.
Bytes random_comparison(Prng& prng) {
  const std::vector<std::string> keys{"a", "ab", "b", "c", "d"};
  const std::vector<std::string> values{"", "1", "2", number_text(1), number_text(2)};
  std::vector<KvGuard> guards;
  for (std::uint64_t i = prng.below(3); i > 0; --i) {
    const std::uint64_t kind = prng.below(3);
    guards.push_back({.condition = kind == 0   ? KvCondition::absent
                                   : kind == 1 ? KvCondition::present
                                               : KvCondition::equals,
                      .key = bytes(keys[prng.below(keys.size())])});
    if (kind == 2) {
      guards.back().value = bytes(values[prng.below(values.size())]);
    }
  }
  std::vector<KvWrite> writes;
  for (const std::string& key : keys) {
    const std::uint64_t kind = prng.below(6);
    if (kind < 3) {
      writes.push_back({.operation = kind == 0   ? KvOperation::erase
                                     : kind == 1 ? KvOperation::put
                                                 : KvOperation::increment,
                        .key = bytes(key),
                        .amount = 1});
      if (kind == 1) {
        writes.back().value = bytes(values[prng.below(values.size())]);
      }
    }
  }
  return encode_txn(guards, writes, std::nullopt);
}

TEST(KvMachine, compares_and_writes_as_a_map_does) {
  MachineStage stage;
  SlowMachine slow;
  Prng prng(31);
  std::map<KvStatus, int> statuses;
  for (int i = 0; i < 20'000; ++i) {
    const Bytes command = random_comparison(prng);
    const Answer answer = stage.run(command);
    ASSERT_EQ(answer, slow.run(stage.machine.applied().value, command));
    ++statuses[answer.status];
    ASSERT_EQ(stage.machine.entries(), slow.entries.size());
  }
  EXPECT_EQ(stage.scan(""), Entries(slow.entries.begin(), slow.entries.end()));
  for (const KvStatus status : {KvStatus::ok, KvStatus::guard_failed, KvStatus::not_a_number}) {
    EXPECT_GT(statuses[status], 1'000);
  }
}

TEST(KvMachine, increments_wrap_and_start_from_nothing) {
  MachineStage stage;
  EXPECT_EQ(stage.increment("n", 5).number(), 5U);
  EXPECT_EQ(stage.increment("n", UINT64_MAX).number(), 4U);
  EXPECT_EQ(stage.get("n").number(), 4U);
  stage.put("text", "not eight");
  EXPECT_EQ(stage.increment("text", 1).status, KvStatus::not_a_number);
  EXPECT_EQ(stage.get("text").body, "not eight");
}

TEST(KvMachine, a_transaction_writes_all_or_nothing) {
  MachineStage stage;
  stage.put("a", "1");
  stage.put("text", "x");
  const std::vector<KvGuard> guard{
      {.condition = KvCondition::equals, .key = bytes("a"), .value = bytes("1")}};
  const std::vector<KvWrite> bad{{.operation = KvOperation::put, .key = bytes("a"), .value = bytes("2")},
                                 {.operation = KvOperation::increment, .key = bytes("text"), .amount = 1}};
  EXPECT_EQ(stage.run(encode_txn(guard, bad, {})).status, KvStatus::not_a_number);
  EXPECT_EQ(stage.get("a").body, "1");
  const std::vector<KvWrite> good{{.operation = KvOperation::put, .key = bytes("a"), .value = bytes("2")},
                                  {.operation = KvOperation::increment, .key = bytes("b"), .amount = 9},
                                  {.operation = KvOperation::erase, .key = bytes("nothing")}};
  const Answer answer = stage.run(encode_txn(guard, good, {}));
  EXPECT_EQ(answer.status, KvStatus::ok);
  EXPECT_EQ(answer.number(), 9U);
  const Answer again = stage.run(encode_txn(guard, good, {}));
  EXPECT_EQ(again.status, KvStatus::guard_failed);
  EXPECT_EQ(again.body, std::string(2, '\0'));
  EXPECT_EQ(stage.get("b").number(), 9U);
}

TEST(KvMachine, writes_guarded_by_an_older_fence_are_refused) {
  MachineStage stage;
  const std::vector<KvGuard> guard{{.condition = KvCondition::fence, .fence = Fence(1)}};
  const std::vector<KvWrite> write{{.operation = KvOperation::put, .key = bytes("a"), .value = bytes("1")}};
  EXPECT_EQ(stage.run(number_command(KvOperation::fence_raise, 1)).status, KvStatus::ok);
  EXPECT_EQ(stage.run(encode_txn(guard, write, {})).status, KvStatus::ok);
  EXPECT_EQ(stage.run(number_command(KvOperation::fence_raise, 3)).status, KvStatus::ok);
  EXPECT_EQ(stage.run(number_command(KvOperation::fence_raise, 3)).status, KvStatus::fence_outdated);
  EXPECT_EQ(stage.machine.fence(), Fence(3));
  EXPECT_EQ(stage.run(encode_txn(guard, write, {})).status, KvStatus::guard_failed);
}

TEST(KvMachine, a_full_machine_says_so_and_goes_on) {
  MachineStage stage({.state_bytes = 1U << 20U, .sessions_max = 4, .view_bytes = 1U << 20U});
  const std::string value(10'000, 'v');
  std::uint64_t stored = 0;
  while (stage.put("key" + std::to_string(stored), value).status == KvStatus::ok) {
    ++stored;
  }
  // 165 units of 60 bytes, a leaf and a branch for each.
  EXPECT_EQ(stored, (1U << 20U) / (64 * KeyForest::units_of(5, value.size())));
  EXPECT_EQ(stage.put("another", value).status, KvStatus::full);
  const std::vector<KvWrite> writes{
      {.operation = KvOperation::put, .key = bytes("x"), .value = bytes(value)},
      {.operation = KvOperation::put, .key = bytes("y"), .value = bytes(value)}};
  EXPECT_EQ(stage.run(encode_txn({}, writes, {})).status, KvStatus::full);
  EXPECT_EQ(stage.get("x").status, KvStatus::not_found);
  // Sessions and what gives room go on; a value may be replaced by one as large.
  EXPECT_GT(stage.open_session(1), 0U);
  EXPECT_EQ(stage.put("key0", std::string(10'000, 'w')).status, KvStatus::ok);
  EXPECT_EQ(stage.erase("key1").status, KvStatus::ok);
  EXPECT_EQ(stage.put("key1", value).status, KvStatus::ok);
  EXPECT_EQ(stage.put("another", value).status, KvStatus::full);
  EXPECT_LE(stage.machine.state_bytes_used(), 1U << 20U);
}

TEST(KvMachine, answers_follow_from_the_log_alone_whatever_is_viewed) {
  const KvSettings settings{.state_bytes = 64U << 10U, .sessions_max = 4, .view_bytes = 16U << 10U};
  MachineStage plain(settings);
  MachineStage viewed(settings);
  Prng prng(4);
  std::uint64_t full = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Bytes command = prng.below(3) == 0 ? put_command("big" + std::to_string(prng.below(40)),
                                                           std::string(prng.below(4'000), 'b'))
                                             : random_command(prng);
    if (i % 50 == 0) {
      static_cast<void>(viewed.machine.open_view());
    }
    const Answer answer = plain.run(command);
    ASSERT_EQ(answer, viewed.run(command));
    full += answer.status == KvStatus::full ? 1U : 0U;
  }
  EXPECT_EQ(plain.hash(), viewed.hash());
  EXPECT_GT(full, 100U);
}

TEST(KvMachine, views_stay_while_applies_go_on_until_memory_is_needed) {
  MachineStage stage({.state_bytes = 1U << 20U, .sessions_max = 4, .view_bytes = 64U << 10U});
  Prng prng(9);
  for (int i = 0; i < 1'000; ++i) {
    stage.run(random_command(prng));
  }
  const ViewId view = stage.machine.open_view().value();
  const Entries before = stage.scan("");
  const StateDigest hash = stage.hash();
  const StateDigest root = stage.machine.root(view, KeyRange{}).value();
  const CommitIndex index = stage.machine.applied();
  for (int i = 0; i < 1'000; ++i) {
    stage.run(random_command(prng));
  }
  EXPECT_NE(stage.scan(""), before);
  EXPECT_EQ(stage.scan("", view), before);
  EXPECT_EQ(stage.machine.state_hash(view).value(), hash);
  EXPECT_EQ(stage.machine.root(view, KeyRange{}).value(), root);
  EXPECT_EQ(stage.machine.index_of(view).value(), index);
  EXPECT_EQ(stage.get("a", view).index, index.value);
  // What the view keeps of a state that is rewritten again and again is bounded; then it is given up.
  const std::string value(2'000, 'v');
  std::uint64_t writes = 0;
  while (stage.machine.views_lost() == 0 && writes < 1'000'000) {
    const std::string key = "big" + std::to_string(writes++ % 400);
    ASSERT_EQ(stage.put(key, value).status, KvStatus::ok);
    if (writes % 400 == 0) {
      static_cast<void>(stage.machine.open_view());
    }
  }
  EXPECT_EQ(stage.machine.views_lost(), 1U);
  EXPECT_EQ(stage.query(view, get_command("a")).error(), MachineFault::view_lost);
  EXPECT_EQ(stage.machine.root(view, KeyRange{}).error(), MachineFault::view_lost);
  EXPECT_EQ(stage.machine.state_hash(view).error(), MachineFault::view_lost);
}

TEST(KvMachine, reads_are_told_from_what_changes_something) {
  MachineStage stage;
  EXPECT_TRUE(stage.machine.is_read(get_command("a")));
  EXPECT_FALSE(stage.machine.is_read(put_command("a", "1")));
  EXPECT_TRUE(stage.machine.is_read(Bytes{}));
  EXPECT_EQ(stage.query(ViewId{}, put_command("a", "1"))->status, KvStatus::not_a_read);
  EXPECT_EQ(stage.query(ViewId{}, Bytes{})->status, KvStatus::malformed);
  EXPECT_EQ(stage.get("a").status, KvStatus::not_found);
}

TEST(KvMachine, what_is_no_command_changes_nothing_but_the_index) {
  MachineStage stage;
  stage.put("a", "1");
  const StateDigest root = stage.machine.root(ViewId{}, KeyRange{}).value();
  const Answer answer = stage.run(Bytes(100, std::byte{0x5a}));
  EXPECT_EQ(answer.status, KvStatus::malformed);
  EXPECT_EQ(answer.index, 2U);
  EXPECT_EQ(stage.machine.root(ViewId{}, KeyRange{}).value(), root);
}

TEST(KvMachine, a_page_of_a_scan_keeps_to_bytes_but_has_an_entry) {
  MachineStage stage;
  const std::string large(value_bytes_max, 'v');
  stage.put("a", large);
  stage.put("b", large);
  stage.put("c", "small");
  KvCommand command{.operation = KvOperation::scan};
  command.scan = {.bytes_max = 1};
  const Answer answer = stage.query(ViewId{}, encode_command(command)).value();
  KvEntries page(bytes(answer.body));
  EXPECT_TRUE(page.more());
  EXPECT_EQ(text(page.next()->value), large);
  EXPECT_FALSE(page.next());
  EXPECT_EQ(stage.scan(""), (Entries{{"a", large}, {"b", large}, {"c", "small"}}));
}

TEST(KvMachine, indexes_may_leave_the_engines_own_entries_out) {
  MachineStage stage;
  Bytes reply(reply_bytes_max);
  EgressLog egress;
  const Bytes command = put_command("a", "1");
  const std::size_t used = stage.machine.apply(CommitIndex(10), command, reply, egress);
  EXPECT_EQ(decode_reply(ByteView(reply).first(used))->index, CommitIndex(10));
  EXPECT_EQ(stage.machine.apply(CommitIndex(12), command, {}, egress), 0U);
  EXPECT_EQ(stage.machine.applied(), CommitIndex(12));
}

TEST(KvMachineDeath, the_log_does_not_go_back) {
  MachineStage stage;
  EgressLog egress;
  const Bytes command = put_command("a", "1");
  static_cast<void>(stage.machine.apply(CommitIndex(5), command, {}, egress));
  EXPECT_DEATH(static_cast<void>(stage.machine.apply(CommitIndex(5), command, {}, egress)), "index");
}

TEST(KvMachine, replicas_of_other_settings_have_other_hashes_from_the_start) {
  MachineStage one;
  KvSettings settings = MachineStage::small();
  EXPECT_EQ(MachineStage(settings).hash(), one.hash());
  settings.view_bytes *= 2;  // concerns one replica alone
  EXPECT_EQ(MachineStage(settings).hash(), one.hash());
  settings.state_bytes += 64;
  EXPECT_NE(MachineStage(settings).hash(), one.hash());
  settings = MachineStage::small();
  settings.sessions_max += 1;
  EXPECT_NE(MachineStage(settings).hash(), one.hash());
}

TEST(KvMachine, a_fixed_log_has_a_fixed_hash_on_every_compiler) {
  MachineStage stage;
  const std::vector<std::string_view> prefixes{"a", "b"};
  stage.run(encode_link_open(LinkIndex(1), LinkDirection::outbound, Generation(1), prefixes));
  const std::uint64_t session = stage.open_session(7);
  Prng prng(2026);
  for (std::uint64_t i = 1; i <= 1'000; ++i) {
    stage.run(random_command(prng));
    stage.run(
        increment_command("n", prng.below(10), SessionTag{.session = session, .sequence = i, .owner = 7}));
  }
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    first = first << 8U | stage.hash().bytes[i];
  }
  // Another value means that replicas of two releases disagree about one log.
  EXPECT_EQ(first, 0x490f270a1d3bfa4aULL);
}

TEST(KvMachine, does_not_allocate_while_it_works) {
  MachineStage stage;
  stage.run(encode_link_open(LinkIndex(1), LinkDirection::outbound, Generation(1), {}));
  Prng prng(6);
  std::vector<Bytes> commands;
  for (int i = 0; i < 500; ++i) {
    commands.push_back(random_command(prng));
  }
  const std::uint64_t session = stage.open_session(1);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    commands.push_back(put_command("s", "v", SessionTag{.session = session, .sequence = i, .owner = 1}));
  }
  Bytes reply(reply_bytes_max);
  Bytes chunk(chunk_bytes_max);
  class Nowhere : public EgressSink {
   public:
    void emit(const LinkMessage& message) override { static_cast<void>(message); }
  } nowhere;
  const support::AllocGuard guard;
  for (const Bytes& command : commands) {
    static_cast<void>(stage.machine.apply(stage.machine.applied().next(), command, reply, nowhere));
  }
  const auto view = stage.machine.open_view();
  static_cast<void>(stage.machine.query(*view, commands.front(), reply));
  static_cast<void>(stage.machine.state_hash(*view));
  static_cast<void>(stage.machine.export_chunk(*view, ExportCursor{}, chunk));
  stage.machine.close_view(*view);
  EXPECT_EQ(guard.allocations(), 0U);
}

}  // namespace
}  // namespace mallard::rsm
