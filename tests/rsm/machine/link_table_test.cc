#include "rsm/machine/link_table.h"

#include <gtest/gtest.h>

#include <string>

#include "rsm/machine/link_command.h"
#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

constexpr LinkIndex east_west(2);
using Record = EgressLog::Record;

Bytes open_command(LinkIndex link, LinkDirection direction, std::uint32_t generation,
                   std::vector<std::string_view> prefixes = {}) {
  return encode_link_open(link, direction, Generation(generation), prefixes);
}

// The batches that a source's messages make, as orders to a destination.
struct Batch {
  std::uint64_t number = 0;
  std::uint64_t first = 0;
  std::uint16_t count = 0;
  std::string messages;
};

std::vector<Batch> batches_of(const std::vector<Record>& records, LinkIndex link) {
  std::vector<Batch> batches;
  for (const Record& record : records) {
    if (record.link != link.value) {
      continue;
    }
    if (batches.empty() || batches.back().number != record.batch) {
      batches.push_back({.number = record.batch, .first = record.number});
    }
    Batch& batch = batches.back();
    EXPECT_EQ(batch.first + batch.count, record.number);
    ++batch.count;
    for (int i = 0; i < 4; ++i) {
      batch.messages += static_cast<char>((record.message.size() >> (8 * i)) & 0xffU);
    }
    batch.messages += record.message;
  }
  return batches;
}

Bytes apply_command(const Batch& batch, std::uint32_t generation = 1, std::uint64_t fence = 0) {
  return encode_link_apply({.link = east_west,
                            .generation = Generation(generation),
                            .fence = Fence(fence),
                            .batch = BatchNumber(batch.number),
                            .first = MessageNumber(batch.first),
                            .count = batch.count,
                            .messages = bytes(batch.messages),
                            .proof = bytes("any")});
}

LinkStanding standing_of(MachineStage& stage, LinkDirection direction) {
  return stage.machine.link(east_west, direction).value_or(LinkStanding{});
}

TEST(Links, writes_get_numbers_from_the_entry_that_opens_the_link_on) {
  MachineStage stage;
  stage.put("app/early", "1");
  EXPECT_FALSE(stage.machine.link(east_west, LinkDirection::outbound));
  const Answer opened = stage.run(open_command(east_west, LinkDirection::outbound, 1, {"app/", "b"}));
  EXPECT_EQ(opened.status, KvStatus::ok);
  EXPECT_EQ(opened.number(0), 1U);
  EXPECT_EQ(opened.number(2), 0U);
  stage.put("app/x", "1");
  stage.put("other", "1");
  stage.erase("app/none");
  stage.erase("app/x");
  stage.increment("b", 5);
  const std::vector<KvWrite> writes{
      {.operation = KvOperation::put, .key = bytes("app/1"), .value = bytes("v")},
      {.operation = KvOperation::increment, .key = bytes("bb"), .amount = 1},
      {.operation = KvOperation::put, .key = bytes("c"), .value = bytes("v")}};
  stage.run(encode_txn({}, writes, {}));
  const std::vector<KvGuard> guards{{.condition = KvCondition::absent, .key = bytes("b")}};
  stage.run(encode_txn(guards, writes, {}));
  ASSERT_EQ(stage.egress.records.size(), 5U);
  const auto record = [&](std::size_t i) { return stage.egress.records[i]; };
  EXPECT_EQ(record(0), (Record{2, 1, 1, 1, 3, std::string("\5\0\0\0app/xP1", 11)}));
  EXPECT_EQ(record(1), (Record{2, 1, 2, 2, 6, std::string("\5\0\0\0app/xD", 10)}));
  EXPECT_EQ(record(2), (Record{2, 1, 3, 3, 7, std::string("\1\0\0\0bI\5\0\0\0\0\0\0\0", 14)}));
  // One entry, one batch.
  EXPECT_EQ(record(3).batch, 4U);
  EXPECT_EQ(record(4).batch, 4U);
  EXPECT_EQ(record(4).number, 5U);
  const LinkStanding standing = standing_of(stage, LinkDirection::outbound);
  EXPECT_EQ(standing.message, MessageNumber(5));
  EXPECT_EQ(standing.batch, BatchNumber(4));
  EXPECT_EQ(standing.opened_at, CommitIndex(2));
  EXPECT_FALSE(stage.machine.link(east_west, LinkDirection::inbound));
}

TEST(Links, only_a_higher_generation_numbers_anew) {
  MachineStage stage;
  stage.run(open_command(east_west, LinkDirection::outbound, 3));
  stage.put("a", "1");
  const Answer again = stage.run(open_command(east_west, LinkDirection::outbound, 3, {"x"}));
  EXPECT_EQ(again.status, KvStatus::generation_outdated);
  EXPECT_EQ(again.number(0), 3U);
  EXPECT_EQ(again.number(2), 1U);
  stage.put("a", "2");
  EXPECT_EQ(stage.run(open_command(east_west, LinkDirection::outbound, 4, {"x"})).status, KvStatus::ok);
  stage.put("a", "3");
  stage.put("x", "4");
  ASSERT_EQ(stage.egress.records.size(), 3U);
  EXPECT_EQ(stage.egress.records[2].generation, 4U);
  EXPECT_EQ(stage.egress.records[2].number, 1U);
  EXPECT_EQ(stage.egress.records[2].batch, 1U);
}

TEST(Links, a_value_that_no_message_can_carry_is_refused_where_it_would_have_to_go) {
  MachineStage stage;
  stage.run(open_command(east_west, LinkDirection::outbound, 1, {"app/"}));
  const std::size_t largest = message_bytes_max - 4 - 5 - 1;
  EXPECT_EQ(stage.put("app/x", std::string(largest, 'v')).status, KvStatus::ok);
  EXPECT_EQ(stage.put("app/x", std::string(largest + 1, 'v')).status, KvStatus::too_large_for_link);
  EXPECT_EQ(stage.put("other", std::string(largest + 1, 'v')).status, KvStatus::ok);
  EXPECT_EQ(stage.get("app/x").body.size(), largest);
}

TEST(Links, a_transaction_is_one_batch_or_none) {
  MachineStage stage;
  stage.run(open_command(east_west, LinkDirection::outbound, 1));
  // As messages with their lengths they fill a batch to the last byte.
  const std::string value(209'700, 'v');
  std::string last(209'726, 'v');
  std::vector<KvWrite> writes;
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    writes.push_back({.operation = KvOperation::put, .key = bytes(key), .value = bytes(value)});
  }
  writes.back().value = bytes(last);
  EXPECT_EQ(stage.run(encode_txn({}, writes, {})).status, KvStatus::ok);
  stage.put("f", "small");
  std::vector<std::uint64_t> batches;
  for (const Record& record : stage.egress.records) {
    batches.push_back(record.batch);
  }
  EXPECT_EQ(batches, (std::vector<std::uint64_t>{1, 1, 1, 1, 1, 2}));
  EXPECT_EQ(batches_of(stage.egress.records, east_west)[0].messages.size(), batch_bytes_max);
  last += 'v';
  writes.back().value = bytes(last);
  EXPECT_EQ(stage.run(encode_txn({}, writes, {})).status, KvStatus::malformed);
  EXPECT_EQ(stage.egress.records.size(), 6U);
  EXPECT_EQ(stage.get("e").body.size(), last.size() - 1);
}

// What a transaction keeps equal at the source is equal at the destination after every batch.
TEST(Links, a_mirror_has_all_of_a_transaction_or_nothing_of_it) {
  MachineStage source;
  MachineStage mirror;
  source.run(open_command(east_west, LinkDirection::outbound, 1));
  mirror.run(open_command(east_west, LinkDirection::inbound, 1));
  Prng prng(17);
  std::string now = "0";
  std::size_t applied = 0;
  std::size_t refused = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string next = std::to_string(i + 1);
    const bool holds = prng.below(3) != 0;
    const std::string expected = holds ? now : "something else";
    std::vector<KvGuard> guards;
    if (now != "0") {
      guards = {{.condition = KvCondition::equals, .key = bytes("left"), .value = bytes(expected)}};
    }
    const std::vector<KvWrite> writes{
        {.operation = prng.below(2) == 0 ? KvOperation::erase : KvOperation::increment,
         .key = bytes("between"),
         .amount = 1},
        {.operation = KvOperation::put, .key = bytes("left"), .value = bytes(next)},
        {.operation = KvOperation::put, .key = bytes("right"), .value = bytes(next)}};
    source.egress.records.clear();
    const Answer answer = source.run(encode_txn(guards, writes, {}));
    const std::vector<Batch> batches = batches_of(source.egress.records, east_west);
    if (answer.status == KvStatus::guard_failed) {
      ++refused;
      ASSERT_TRUE(batches.empty());
    } else {
      ASSERT_EQ(answer.status, KvStatus::ok);
      ASSERT_EQ(batches.size(), 1U);
      ASSERT_EQ(mirror.run(apply_command(batches[0])).status, KvStatus::ok);
      now = next;
      ++applied;
    }
    ASSERT_EQ(mirror.get("left").body, mirror.get("right").body);
    ASSERT_EQ(mirror.scan(""), source.scan(""));
  }
  EXPECT_GT(applied, 200U);
  EXPECT_GT(refused, 100U);
}

TEST(Links, a_mirror_becomes_equal_and_both_ends_have_the_same_hash) {
  MachineStage source;
  MachineStage mirror;
  source.run(open_command(east_west, LinkDirection::outbound, 1));
  mirror.run(open_command(east_west, LinkDirection::inbound, 1));
  Prng prng(4);
  for (int i = 0; i < 1'000; ++i) {
    source.run(random_command(prng));
  }
  for (const Batch& batch : batches_of(source.egress.records, east_west)) {
    const Answer answer = mirror.run(apply_command(batch));
    ASSERT_EQ(answer.status, KvStatus::ok);
    ASSERT_EQ(answer.number(1), batch.number);
    // Every gateway of the destination may order it; once is enough.
    ASSERT_EQ(mirror.run(apply_command(batch)).status, KvStatus::not_next);
  }
  EXPECT_EQ(mirror.scan(""), source.scan(""));
  EXPECT_EQ(mirror.machine.root(ViewId{}, {}).value(), source.machine.root(ViewId{}, {}).value());
  const LinkStanding sent = standing_of(source, LinkDirection::outbound);
  const LinkStanding received = standing_of(mirror, LinkDirection::inbound);
  EXPECT_EQ(received.message, sent.message);
  EXPECT_EQ(received.batch, sent.batch);
  EXPECT_EQ(received.rolling_hash, sent.rolling_hash);
  EXPECT_EQ(received.conflicts, 0U);
}

TEST(Links, only_the_next_batch_of_the_right_generation_and_fence_is_applied) {
  MachineStage source;
  source.run(open_command(east_west, LinkDirection::outbound, 1));
  source.increment("n", 1);
  source.increment("n", 1);
  const std::vector<Batch> batches = batches_of(source.egress.records, east_west);
  MachineStage mirror;
  EXPECT_EQ(mirror.run(apply_command(batches[0])).status, KvStatus::generation_outdated);
  mirror.run(open_command(east_west, LinkDirection::inbound, 1));
  EXPECT_EQ(mirror.run(apply_command(batches[1])).status, KvStatus::not_next);
  EXPECT_EQ(mirror.run(apply_command(batches[0], 2)).status, KvStatus::generation_outdated);
  EXPECT_EQ(mirror.run(apply_command(batches[0], 1, 1)).status, KvStatus::fence_outdated);
  Batch shifted = batches[0];
  shifted.first = 2;
  EXPECT_EQ(mirror.run(apply_command(shifted)).status, KvStatus::not_next);
  EXPECT_EQ(mirror.get("n").status, KvStatus::not_found);
  EXPECT_EQ(mirror.run(apply_command(batches[0])).status, KvStatus::ok);
  // Promoted: what the old source still sends has no effect.
  mirror.run(number_command(KvOperation::fence_raise, 1));
  const Answer late = mirror.run(apply_command(batches[1]));
  EXPECT_EQ(late.status, KvStatus::fence_outdated);
  EXPECT_EQ(late.number(3), 1U);
  EXPECT_EQ(mirror.get("n").number(), 1U);
}

TEST(Links, a_full_destination_applies_all_of_a_batch_or_nothing) {
  MachineStage source;
  source.run(open_command(east_west, LinkDirection::outbound, 1));
  const std::string value(50'000, 'v');
  const std::vector<KvWrite> writes{
      {.operation = KvOperation::put, .key = bytes("a"), .value = bytes(value)},
      {.operation = KvOperation::put, .key = bytes("b"), .value = bytes(value)}};
  source.run(encode_txn({}, writes, {}));
  const Batch batch = batches_of(source.egress.records, east_west)[0];
  MachineStage mirror({.state_bytes = 128U << 10U, .sessions_max = 1, .view_bytes = 1U << 20U});
  mirror.run(open_command(east_west, LinkDirection::inbound, 1));
  mirror.put("blocks", value);
  const Answer full = mirror.run(apply_command(batch));
  EXPECT_EQ(full.status, KvStatus::full);
  EXPECT_EQ(full.number(2), 0U);
  EXPECT_EQ(mirror.get("a").status, KvStatus::not_found);
  mirror.erase("blocks");
  EXPECT_EQ(mirror.run(apply_command(batch)).status, KvStatus::ok);
  EXPECT_EQ(mirror.get("b").body, value);
}

TEST(Links, what_cannot_be_executed_here_is_counted_and_passed_over) {
  MachineStage source;
  source.run(open_command(east_west, LinkDirection::outbound, 1));
  source.increment("n", 1);
  source.erase("n");
  source.put("a", "1");
  std::vector<Batch> batches = batches_of(source.egress.records, east_west);
  batches.push_back({.number = 4, .first = 4, .count = 1, .messages = std::string("\3\0\0\0???", 7)});
  MachineStage mirror;
  mirror.run(open_command(east_west, LinkDirection::inbound, 1));
  mirror.put("n", "text");
  EXPECT_EQ(mirror.run(apply_command(batches[0])).status, KvStatus::ok);
  EXPECT_EQ(standing_of(mirror, LinkDirection::inbound).conflicts, 1U);
  EXPECT_EQ(mirror.get("n").body, "text");
  for (std::size_t i = 1; i < batches.size(); ++i) {
    EXPECT_EQ(mirror.run(apply_command(batches[i])).status, KvStatus::ok);
  }
  EXPECT_EQ(standing_of(mirror, LinkDirection::inbound).conflicts, 2U);
  EXPECT_EQ(standing_of(mirror, LinkDirection::inbound).message, MessageNumber(4));
  EXPECT_EQ(mirror.scan(""), (Entries{{"a", "1"}}));
}

TEST(Links, what_comes_over_one_link_goes_on_over_another) {
  MachineStage source;
  source.run(open_command(east_west, LinkDirection::outbound, 1));
  source.put("a", "1");
  MachineStage middle;
  middle.run(open_command(east_west, LinkDirection::inbound, 1));
  middle.run(open_command(LinkIndex(9), LinkDirection::outbound, 1));
  middle.run(apply_command(batches_of(source.egress.records, east_west)[0]));
  ASSERT_EQ(middle.egress.records.size(), 1U);
  EXPECT_EQ(middle.egress.records[0].link, 9U);
  EXPECT_EQ(middle.egress.records[0].message, source.egress.records[0].message);
}

TEST(Links, standings_survive_a_snapshot) {
  MachineStage source;
  source.run(open_command(east_west, LinkDirection::outbound, 2, {"a", "b"}));
  source.run(open_command(LinkIndex(63), LinkDirection::inbound, 5));
  Prng prng(6);
  for (int i = 0; i < 300; ++i) {
    source.run(random_command(prng));
  }
  MachineStage other;
  other.run(open_command(LinkIndex(7), LinkDirection::outbound, 1));
  other.put("left over", "x");
  const StateIdentity identity = source.identity();
  other.machine.begin_import(identity);
  for (const Bytes& chunk : source.export_all()) {
    ASSERT_TRUE(other.machine.import_chunk(chunk));
  }
  EXPECT_EQ(other.identity(), identity);
  EXPECT_FALSE(other.machine.link(LinkIndex(7), LinkDirection::outbound));
  EXPECT_EQ(other.machine.link(LinkIndex(63), LinkDirection::inbound)->generation, Generation(5));
  source.egress.records.clear();
  other.egress.records.clear();
  for (int i = 0; i < 300; ++i) {
    const Bytes command = random_command(prng);
    ASSERT_EQ(other.run(command), source.run(command));
  }
  EXPECT_GT(source.egress.records.size(), 100U);
  EXPECT_EQ(other.egress.records, source.egress.records);
  EXPECT_EQ(other.hash(), source.hash());
}

TEST(Links, the_hash_of_the_state_does_not_depend_on_when_it_is_asked_for) {
  MachineStage often;
  MachineStage once;
  const Bytes open = open_command(east_west, LinkDirection::outbound, 1);
  often.run(open);
  once.run(open);
  Prng prng(3);
  for (int i = 0; i < 200; ++i) {
    const Bytes command = random_command(prng);
    often.run(command);
    once.run(command);
    static_cast<void>(often.hash());
  }
  EXPECT_EQ(often.hash(), once.hash());
  const ViewId view = once.machine.open_view().value();
  const StateDigest frozen = once.hash();
  once.put("a", "another");
  EXPECT_EQ(once.machine.state_hash(view).value(), frozen);
  EXPECT_NE(once.hash(), frozen);
}

TEST(Links, refused_orders_change_nothing_but_the_index) {
  MachineStage stage;
  KvCommand command{.operation = KvOperation::link_apply, .body = bytes("no order")};
  EXPECT_EQ(stage.run(encode_command(command)).status, KvStatus::malformed);
  command.operation = KvOperation::link_open;
  EXPECT_EQ(stage.run(encode_command(command)).status, KvStatus::malformed);
  EXPECT_FALSE(stage.machine.link(LinkIndex(links_max), LinkDirection::outbound));
}

}  // namespace
}  // namespace mallard::rsm
