#include "rsm/machine/kv_reply.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/rsm/machine/byte_text.h"

namespace mallard::rsm {
namespace {

TEST(KvReply, carries_status_index_and_numbers) {
  std::array<std::byte, stored_reply_bytes_max> out{};
  ReplyWriter writer(out, CommitIndex(7));
  writer.add(99);
  const std::size_t used = writer.finish(KvStatus::full);
  const auto reply = decode_reply(ByteView(out).first(used));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, KvStatus::full);
  EXPECT_EQ(reply->index, CommitIndex(7));
  EXPECT_EQ(ByteReader(reply->body).read<std::uint64_t>(), 99U);
}

TEST(KvReply, has_room_for_the_largest_transaction) {
  std::array<std::byte, stored_reply_bytes_max> out{};
  ReplyWriter writer(out, CommitIndex(1));
  for (std::size_t i = 0; i < txn_writes_max; ++i) {
    writer.add(i);
  }
  EXPECT_EQ(writer.finish(KvStatus::ok), stored_reply_bytes_max);
}

TEST(KvReply, short_or_unknown_bytes_are_none) {
  EXPECT_FALSE(decode_reply(bytes("12345678")));
  EXPECT_TRUE(
      decode_reply(bytes(std::string_view("\0"
                                          "12345678",
                                          9))));
  EXPECT_TRUE(
      decode_reply(bytes("\x0f"
                         "12345678")));
  EXPECT_FALSE(
      decode_reply(bytes("\x10"
                         "12345678")));
}

TEST(KvReply, a_damaged_list_ends_and_says_so) {
  const std::string one = std::string("\x01\x02\0\0\0", 5) + std::string("\x01\0\x01\0\0\0kv", 8);
  KvEntries entries(bytes(one));
  EXPECT_TRUE(entries.more());
  const auto first = entries.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(text(first->key), "k");
  EXPECT_EQ(text(first->value), "v");
  EXPECT_FALSE(entries.next());
  EXPECT_FALSE(entries.ok());
}

TEST(KvReply, a_damaged_list_of_changes_ends_and_says_so) {
  const std::string head("\x09\0\0\0\0\0\0\0\x02\0\0\0", 12);
  const std::string put("\x05\0\0\0\0\0\0\0\x03\x01\0\x01\0\0\0kv", 17);
  const std::string cut = head + put;
  KvChangeList list(bytes(cut));
  EXPECT_EQ(list.go_on_from(), 9U);
  const auto first = list.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->index, CommitIndex(5));
  EXPECT_EQ(first->operation, KvOperation::put);
  EXPECT_EQ(text(first->entry.key), "k");
  EXPECT_EQ(text(first->entry.value), "v");
  EXPECT_FALSE(list.next());
  EXPECT_FALSE(list.ok());
  std::string strange = cut;
  strange[head.size() + 8] = '\x05';
  KvChangeList other(bytes(strange));
  EXPECT_FALSE(other.next());
  EXPECT_FALSE(other.ok());
  EXPECT_FALSE(KvChangeList(bytes("short")).ok());
}

}  // namespace
}  // namespace mallard::rsm
