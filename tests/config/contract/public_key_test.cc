#include "config/contract/public_key.h"

#include <gtest/gtest.h>

namespace mallard {
namespace {

TEST(PublicKey, is_its_bytes) {
  PublicKey one;
  PublicKey other;
  EXPECT_EQ(one, other);
  for (std::size_t i = 0; i < public_key_bytes; ++i) {
    other = one;
    other.bytes.at(i) = 1;
    EXPECT_NE(one, other) << i;
    EXPECT_LT(one, other) << i;
  }
}

TEST(PublicKey, the_first_byte_decides_the_order) {
  PublicKey low;
  PublicKey high;
  low.bytes.back() = 0xff;
  high.bytes.front() = 0x01;
  EXPECT_LT(low, high);
}

}  // namespace
}  // namespace mallard
