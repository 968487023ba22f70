#include "rsm/core/certify/share_window.h"

#include <gtest/gtest.h>

#include <map>

#include "config/base/prng.h"

namespace mallard::rsm::certify {
namespace {

TEST(ShareWindow, HoldsAsManyBatchesAsItHasPlaces) {
  ShareWindow window(64, 3);
  window.reset(BatchNumber(10));
  EXPECT_FALSE(window.contains(BatchNumber(10)));
  EXPECT_TRUE(window.contains(BatchNumber(11)));
  EXPECT_TRUE(window.contains(BatchNumber(74)));
  EXPECT_FALSE(window.contains(BatchNumber(75)));
  EXPECT_EQ(window.size(), 64U);
}

TEST(ShareWindow, NumbersNearTheEndDoNotWrap) {
  ShareWindow window(64, 1);
  window.reset(BatchNumber(UINT64_MAX - 3));
  EXPECT_TRUE(window.contains(BatchNumber(UINT64_MAX)));
  EXPECT_FALSE(window.contains(BatchNumber(0)));
  EXPECT_FALSE(window.contains(BatchNumber(5)));
  window.advance(BatchNumber(UINT64_MAX));
  EXPECT_FALSE(window.contains(BatchNumber(UINT64_MAX)));
}

TEST(ShareWindow, AStepOfAnyLengthIsShort) {
  ShareWindow window(64, 1);
  window.at(BatchNumber(5)).known = true;
  window.advance(BatchNumber(1ULL << 62));
  EXPECT_EQ(window.base(), BatchNumber(1ULL << 62));
  for (std::uint64_t i = 1; i <= 64; ++i) {
    EXPECT_FALSE(window.at(BatchNumber((1ULL << 62) + i)).known);
  }
}

// The obvious version: what was noted of a number, until the base has passed it.
TEST(ShareWindow, IsAMapThatForgets) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng prng(seed);
    ShareWindow window(64, 4);
    std::map<std::uint64_t, ReplicaSet> twin;
    std::map<std::uint64_t, std::uint8_t> shares;
    std::uint64_t base = 0;
    for (int step = 0; step < 2000; ++step) {
      const std::uint64_t batch = base + prng.between(1, 64);
      const ReplicaIndex signer(static_cast<std::uint16_t>(prng.below(4)));
      ASSERT_EQ(window.at(BatchNumber(batch)).held, twin[batch]);
      if ((twin[batch] & bit_of(signer)) != 0) {
        ASSERT_EQ(window.share(BatchNumber(batch), signer).root.bytes[0], shares[batch * 4 + signer.value]);
      }
      const auto name = static_cast<std::uint8_t>(prng.next());
      window.at(BatchNumber(batch)).held |= bit_of(signer);
      window.share(BatchNumber(batch), signer).root.bytes[0] = name;
      twin[batch] |= bit_of(signer);
      shares[batch * 4 + signer.value] = name;
      if (prng.below(10) == 0) {
        base += prng.below(100) == 0 ? prng.between(64, 200) : prng.below(8);
        window.advance(BatchNumber(base));
        twin.erase(twin.begin(), twin.upper_bound(base));
      }
    }
  }
}

}  // namespace
}  // namespace mallard::rsm::certify
