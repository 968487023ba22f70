#include "bridge/attach/file/keyed_message.h"

#include <gtest/gtest.h>

#include "tests/bridge/attach/file/log_bytes.h"

namespace mallard::bridge::file {
namespace {

TEST(KeyedMessage, key_and_value_come_apart) {
  const auto bytes = bytes_of(keyed("name", "worth"));
  const auto message = read_keyed_message(bytes);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->key, "name");
  EXPECT_EQ(message->value.size(), 5U);
}

TEST(KeyedMessage, both_may_be_empty) {
  const auto message = read_keyed_message(bytes_of(keyed("", "")));
  ASSERT_TRUE(message.has_value());
  EXPECT_TRUE(message->key.empty());
  EXPECT_TRUE(message->value.empty());
}

TEST(KeyedMessage, a_message_shorter_than_its_key_is_none) {
  const auto bytes = bytes_of(keyed("name", ""));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(read_keyed_message(ByteView(bytes).first(length)).has_value()) << length;
  }
}

}  // namespace
}  // namespace mallard::bridge::file
