#include "rsm/machine/kv_command.h"

#include <gtest/gtest.h>

#include <string>

#include "config/base/prng.h"
#include "rsm/machine/kv_limits.h"
#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

constexpr SessionTag tag{.session = 5, .sequence = 9, .owner = 77};

Bytes scan_command() {
  KvCommand command{.operation = KvOperation::scan};
  command.scan = {.prefix = bytes("app/"), .after = bytes("app/x"), .entries_max = 10, .bytes_max = 1'000};
  return encode_command(command);
}

Bytes changes_command() {
  KvCommand command{.operation = KvOperation::changes};
  command.changes = {.from = 12, .prefix = bytes("app/"), .bytes_max = 1'000};
  return encode_command(command);
}

Bytes txn_command(const std::vector<std::string>& keys) {
  std::vector<KvWrite> writes;
  writes.reserve(keys.size());
  for (const std::string& key : keys) {
    writes.push_back({.operation = KvOperation::put, .key = bytes(key), .value = bytes("v")});
  }
  const std::vector<KvGuard> guards{
      {.condition = KvCondition::equals, .key = bytes("g"), .value = bytes("old")},
      {.condition = KvCondition::fence, .fence = Fence(3)}};
  return encode_txn(guards, writes, tag);
}

std::vector<Bytes> one_of_each() {
  return {get_command("key"),
          scan_command(),
          put_command("key", "value", tag),
          put_command("key", ""),
          erase_command("key", tag),
          increment_command("key", UINT64_MAX),
          txn_command({"a", "b"}),
          number_command(KvOperation::session_open, 77),
          close_command(5, 77),
          number_command(KvOperation::fence_raise, 2),
          changes_command()};
}

TEST(KvCommand, what_was_encoded_decodes_to_the_same) {
  for (const Bytes& command : one_of_each()) {
    const auto decoded = decode_command(command);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(encode_command(*decoded), command);
  }
  const Bytes put = put_command("key", "value", tag);
  const auto decoded = decode_command(put);
  EXPECT_EQ(text(decoded->write.key), "key");
  EXPECT_EQ(text(decoded->write.value), "value");
  EXPECT_EQ(decoded->session, tag);
}

TEST(KvCommand, a_byte_less_or_more_is_no_command) {
  for (const Bytes& command : one_of_each()) {
    for (std::size_t length = 0; length < command.size(); ++length) {
      EXPECT_FALSE(decode_command(ByteView(command).first(length)));
    }
    Bytes longer = command;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(decode_command(longer));
  }
}

TEST(KvCommand, limits_hold_at_the_limit_and_not_beyond) {
  const std::string key(key_bytes_max, 'k');
  const std::string value(value_bytes_max, 'v');
  EXPECT_TRUE(decode_command(put_command(key, value)));
  EXPECT_LE(put_command(key, value, tag).size(), command_bytes_max);
  EXPECT_FALSE(decode_command(put_command(key + "k", "v")));
  EXPECT_FALSE(decode_command(put_command("k", value + "v")));
  EXPECT_FALSE(decode_command(put_command("", "v")));
  EXPECT_FALSE(decode_command(get_command("")));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < txn_writes_max; ++i) {
    keys.push_back("key" + std::to_string(1'000 + i));
  }
  EXPECT_TRUE(decode_command(txn_command(keys)));
  keys.emplace_back("z");
  EXPECT_FALSE(decode_command(txn_command(keys)));
}

TEST(KvCommand, the_writes_of_a_transaction_are_no_larger_than_a_batch) {
  const std::string half(txn_bytes_max / 2 - 10, 'v');
  const auto pair = [&](const std::string& second) {
    const std::vector<KvWrite> writes{
        {.operation = KvOperation::put, .key = bytes("a"), .value = bytes(half)},
        {.operation = KvOperation::put, .key = bytes("b"), .value = bytes(second)}};
    return encode_txn({}, writes, tag);
  };
  EXPECT_TRUE(decode_command(pair(half)));
  EXPECT_FALSE(decode_command(pair(half + "v")));
}

TEST(KvCommand, the_keys_of_a_transaction_rise) {
  EXPECT_TRUE(decode_command(txn_command({"a", "aa", "b"})));
  EXPECT_FALSE(decode_command(txn_command({"a", "a"})));
  EXPECT_FALSE(decode_command(txn_command({"b", "a"})));
}

TEST(KvCommand, only_what_changes_something_runs_in_a_session) {
  for (const KvOperation operation :
       {KvOperation::get, KvOperation::scan, KvOperation::changes, KvOperation::session_open,
        KvOperation::fence_raise, KvOperation::link_apply}) {
    KvCommand command{.operation = operation, .session = tag};
    command.write.key = bytes("key");
    EXPECT_FALSE(decode_command(encode_command(command)));
  }
}

TEST(KvCommand, random_bytes_are_refused_or_mean_themselves) {
  Prng prng(2);
  for (int i = 0; i < 50'000; ++i) {
    Bytes command = one_of_each()[prng.below(11)];
    for (std::uint64_t flips = 1 + prng.below(3); flips > 0; --flips) {
      command[prng.below(command.size())] = static_cast<std::byte>(prng.below(256));
    }
    const auto decoded = decode_command(command);
    if (decoded) {
      ASSERT_EQ(encode_command(*decoded), command);
    }
  }
}

TEST(KvCommand, the_door_writes_who_asks) {
  for (Bytes command : {put_command("key", "value", tag), number_command(KvOperation::session_open, 1),
                        close_command(5, 1)}) {
    write_owner(command, 1234);
    const auto decoded = decode_command(command);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->session ? decoded->session->owner : decoded->owner + decoded->number,
              decoded->session                                  ? 1234U
              : decoded->operation == KvOperation::session_open ? 1234U
                                                                : 1234U + 5U);
  }
  Bytes without = put_command("key", "value");
  const Bytes before = without;
  write_owner(without, 1234);
  EXPECT_EQ(without, before);
  Bytes cut = put_command("key", "value", tag);
  cut.resize(20);
  write_owner(cut, 1234);
  EXPECT_EQ(decode_command(cut), std::nullopt);
}

TEST(KvCommand, clients_stay_within_their_prefixes) {
  const std::vector<std::string_view> prefixes{"app/", "b"};
  const auto allowed = [&](const Bytes& command) { return is_within(*decode_command(command), prefixes); };
  EXPECT_TRUE(allowed(put_command("app/x", "1")));
  EXPECT_TRUE(allowed(get_command("b")));
  EXPECT_FALSE(allowed(get_command("app")));
  EXPECT_FALSE(allowed(erase_command("c")));
  EXPECT_TRUE(allowed(scan_command()));
  EXPECT_TRUE(allowed(changes_command()));
  EXPECT_FALSE(allowed(encode_command({.operation = KvOperation::changes})));
  EXPECT_FALSE(allowed(txn_command({"b"})));  // its guard reads g
  EXPECT_TRUE(allowed(number_command(KvOperation::session_open, 1)));
  EXPECT_FALSE(allowed(number_command(KvOperation::fence_raise, 1)));
  EXPECT_FALSE(is_within(*decode_command(number_command(KvOperation::fence_raise, 1)), {}));
  EXPECT_TRUE(is_within(*decode_command(txn_command({"b"})), {}));
}

}  // namespace
}  // namespace mallard::rsm
