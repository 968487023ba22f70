#include "crypto/checked_claims.h"

#include <gtest/gtest.h>

namespace mallard::crypto {
namespace {

Digest numbered(std::uint8_t number) {
  Digest digest;
  digest.bytes[0] = number;
  digest.bytes[31] = 1;
  return digest;
}

TEST(CheckedClaims, knows_what_it_was_told_and_nothing_else) {
  CheckedClaims claims(8);
  EXPECT_FALSE(claims.knows(numbered(3)));
  EXPECT_FALSE(claims.knows(Digest{})) << "an empty place is no claim";
  claims.remember(numbered(3));
  EXPECT_TRUE(claims.knows(numbered(3)));
  EXPECT_FALSE(claims.knows(numbered(4)));
  EXPECT_FALSE(claims.knows(numbered(11))) << "which has the same place";
}

TEST(CheckedClaims, forgets_rather_than_grows) {
  CheckedClaims claims(8);
  claims.remember(numbered(3));
  claims.remember(numbered(11));
  EXPECT_FALSE(claims.knows(numbered(3)));
  EXPECT_TRUE(claims.knows(numbered(11)));
}

}  // namespace
}  // namespace mallard::crypto
