#include "rsm/machine/key_bits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/base/prng.h"
#include "tests/rsm/machine/byte_text.h"

namespace mallard::rsm {
namespace {

// The first difference by looking at every bit.
std::optional<KeyBit> slow_difference(ByteView a, ByteView b) {
  for (std::size_t byte = 0; byte <= std::max(a.size(), b.size()); ++byte) {
    for (unsigned bit = 0; bit <= 8; ++bit) {
      const auto place = static_cast<KeyBit>(byte * 16 + bit);
      if (bit_of(a, place) != bit_of(b, place)) {
        return place;
      }
    }
  }
  return std::nullopt;
}

std::optional<KeyBit> fast_difference(ByteView a, ByteView b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] != b[i]) {
      return bit_between(i, a[i], b[i]);
    }
  }
  return bit_of_lengths(a.size(), b.size());
}

TEST(KeyBits, the_first_differing_bit_orders_keys_as_their_bytes_do) {
  Prng prng(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string a(prng.below(5), 'x');
    std::string b(prng.below(5), 'x');
    for (std::string* key : {&a, &b}) {
      for (char& c : *key) {
        c = static_cast<char>(prng.below(3) == 0 ? prng.below(256) : prng.below(2));
      }
    }
    const auto bit = fast_difference(bytes(a), bytes(b));
    ASSERT_EQ(bit, slow_difference(bytes(a), bytes(b)));
    ASSERT_EQ(bit.has_value(), a != b);
    if (bit) {
      ASSERT_EQ(bit_of(bytes(b), *bit), a < b);
    }
  }
}

TEST(KeyBits, the_longest_key_has_places_of_its_own) {
  const std::string longest(key_bytes_max, '\xff');
  const std::string shorter(key_bytes_max - 1, '\xff');
  const auto bit = bit_of_lengths(longest.size(), shorter.size());
  ASSERT_TRUE(bit);
  EXPECT_LT(*bit, key_bit_end);
  EXPECT_TRUE(bit_of(bytes(longest), *bit));
  EXPECT_FALSE(bit_of(bytes(shorter), *bit));
}

}  // namespace
}  // namespace mallard::rsm
