#include "rsm/machine/link_command.h"

#include <gtest/gtest.h>

#include <string>

#include "config/base/limits.h"
#include "rsm/machine/kv_limits.h"
#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

std::string framed(std::string_view message) {
  const auto length = static_cast<std::uint32_t>(message.size());
  std::string bytes;
  for (int i = 0; i < 4; ++i) {
    bytes += static_cast<char>((length >> (8 * i)) & 0xffU);
  }
  return bytes.append(message);
}

LinkApplyOrder order_of(const std::string& messages, std::uint16_t count) {
  return {.link = LinkIndex(3),
          .generation = Generation(2),
          .fence = Fence(7),
          .batch = BatchNumber(10),
          .first = MessageNumber(100),
          .count = count,
          .messages = bytes(messages),
          .proof = bytes("proof")};
}

ByteView body_of(const Bytes& command) { return ByteView(command).subspan(2); }

TEST(LinkCommand, an_apply_decodes_to_what_was_encoded) {
  const std::string messages = framed("one") + framed("two");
  const Bytes command = encode_link_apply(order_of(messages, 2));
  ASSERT_TRUE(decode_command(command));
  const auto order = decode_link_apply(body_of(command));
  ASSERT_TRUE(order);
  EXPECT_EQ(order->link, LinkIndex(3));
  EXPECT_EQ(order->generation, Generation(2));
  EXPECT_EQ(order->fence, Fence(7));
  EXPECT_EQ(order->batch, BatchNumber(10));
  EXPECT_EQ(order->first, MessageNumber(100));
  EXPECT_EQ(text(order->proof), "proof");
  ByteReader reader(order->messages);
  EXPECT_EQ(text(next_message(reader)), "one");
  EXPECT_EQ(text(next_message(reader)), "two");
  EXPECT_EQ(encode_link_apply(*order), command);
}

TEST(LinkCommand, an_apply_whose_messages_do_not_add_up_is_none) {
  const auto decodes = [](const std::string& messages, std::uint16_t count) {
    const Bytes command = encode_link_apply(order_of(messages, count));
    return decode_link_apply(body_of(command)).has_value();
  };
  EXPECT_TRUE(decodes(framed("a") + framed("b"), 2));
  EXPECT_FALSE(decodes(framed("a") + framed("b"), 1));
  EXPECT_FALSE(decodes(framed("a") + framed("b"), 3));
  EXPECT_FALSE(decodes("", 0));
  EXPECT_FALSE(decodes(framed(""), 1));
  EXPECT_TRUE(decodes(framed(std::string(message_bytes_max, 'm')), 1));
  EXPECT_FALSE(decodes(framed(std::string(message_bytes_max + 1, 'm')), 1));
  const Bytes whole = encode_link_apply(order_of(framed("a"), 1));
  for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
    EXPECT_FALSE(decode_link_apply(body_of(whole).first(length)));
  }
}

TEST(LinkCommand, an_open_names_a_link_that_can_be) {
  const std::vector<std::string_view> prefixes{"app/", "b"};
  const Bytes command = encode_link_open(LinkIndex(5), LinkDirection::outbound, Generation(1), prefixes);
  ASSERT_TRUE(decode_command(command));
  const auto order = decode_link_open(body_of(command));
  ASSERT_TRUE(order);
  EXPECT_EQ(order->link, LinkIndex(5));
  EXPECT_EQ(order->direction, LinkDirection::outbound);
  ByteReader reader(order->prefixes);
  EXPECT_EQ(text(next_prefix(reader)), "app/");
  EXPECT_EQ(text(next_prefix(reader)), "b");
  const auto decodes = [](const Bytes& bytes) { return decode_link_open(body_of(bytes)).has_value(); };
  const auto open = [](std::uint16_t link, std::uint32_t generation, std::vector<std::string_view> of) {
    return encode_link_open(LinkIndex(link), LinkDirection::inbound, Generation(generation), of);
  };
  EXPECT_TRUE(decodes(open(links_max - 1, 1, {})));
  EXPECT_FALSE(decodes(open(links_max, 1, {})));
  EXPECT_FALSE(decodes(open(1, 0, {})));
  const std::string longest(key_bytes_max, 'k');
  EXPECT_TRUE(decodes(open(1, 1, {longest, longest, longest})));
  EXPECT_FALSE(decodes(open(1, 1, {longest, longest, longest, longest})));  // 4 KiB in all
  EXPECT_FALSE(decodes(open(1, 1, {longest + "k"})));
  Bytes cut = command;
  cut.pop_back();
  EXPECT_FALSE(decodes(cut));
  Bytes sideways = command;
  sideways[4] = std::byte{3};
  EXPECT_FALSE(decodes(sideways));
}

TEST(LinkCommand, messages_are_what_attachments_write) {
  const KvWrite put{.operation = KvOperation::put, .key = bytes("key"), .value = bytes("value")};
  const KvWrite erase{.operation = KvOperation::erase, .key = bytes("key")};
  const KvWrite increment{.operation = KvOperation::increment, .key = bytes("key"), .amount = 258};
  const auto message_of = [](const KvWrite& write) {
    Bytes message(message_bytes(write));
    write_message(write, message);
    return text(message);
  };
  const std::string key("\x03\0\0\0key", 7);
  EXPECT_EQ(message_of(put), key + "Pvalue");
  EXPECT_EQ(message_of(erase), key + "D");
  EXPECT_EQ(message_of(increment), key + "I" + std::string("\x02\x01\0\0\0\0\0\0", 8));
  for (const KvWrite& write : {put, erase, increment}) {
    const std::string message = message_of(write);
    const auto again = write_of(bytes(message));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->operation, write.operation);
    EXPECT_EQ(message_of(*again), message);
  }
  for (const std::string& other : {std::string("short"), key, key + "X", key + "Dx", key + "I1234567",
                                   std::string("\0\0\0\0Pvalue", 10)}) {
    EXPECT_FALSE(write_of(bytes(other))) << other;
  }
}

}  // namespace
}  // namespace mallard::rsm
