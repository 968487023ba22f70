#include "crypto/key_pair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace mallard::crypto {
namespace {

template <std::size_t Size>
std::array<std::uint8_t, Size / 2> from_hex(const char (&hex)[Size]) {
  std::array<std::uint8_t, Size / 2> bytes{};
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(digit(hex[2 * i]) * 16 + digit(hex[2 * i + 1]));
  }
  return bytes;
}

// RFC 8032, section 7.1, test 1.
TEST(KeyPair, derives_the_public_key_of_the_standard) {
  const auto secret = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const auto expected = from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const KeyPair pair = KeyPair::from_seed(std::as_bytes(std::span(secret)));
  EXPECT_EQ(pair.public_key().bytes, expected);
  EXPECT_TRUE(std::ranges::equal(pair.seed(), std::as_bytes(std::span(secret))));
}

TEST(KeyPair, generates_a_different_key_each_time) {
  EXPECT_NE(KeyPair::generate().public_key(), KeyPair::generate().public_key());
}

}  // namespace
}  // namespace mallard::crypto
