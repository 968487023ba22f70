#include "config/base/fixed_vector.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "config/base/prng.h"

namespace mallard {
namespace {

TEST(FixedVector, agrees_with_a_vector) {
  constexpr std::size_t capacity = 7;
  FixedVector<std::uint64_t, capacity> fixed;
  std::vector<std::uint64_t> twin;
  Prng random(1);
  for (int turn = 0; turn < 10'000; ++turn) {
    const std::uint64_t choice = random.below(10);
    if (choice < 6 && !fixed.full()) {
      const std::uint64_t value = random.next();
      fixed.push_back(value);
      twin.push_back(value);
    } else if (choice < 9 && !fixed.empty()) {
      fixed.pop_back();
      twin.pop_back();
    } else if (choice == 9 && random.below(10) == 0) {
      fixed.clear();
      twin.clear();
    }
    ASSERT_EQ(fixed.size(), twin.size());
    ASSERT_EQ(fixed.empty(), twin.empty());
    ASSERT_EQ(fixed.full(), twin.size() == capacity);
    ASSERT_EQ(fixed.room(), capacity - twin.size());
    ASSERT_TRUE(std::equal(fixed.begin(), fixed.end(), twin.begin(), twin.end()));
    if (!twin.empty()) {
      ASSERT_EQ(fixed.back(), twin.back());
      ASSERT_EQ(fixed[0], twin.front());
    }
  }
}

TEST(FixedVector, what_was_removed_does_not_count_in_equality) {
  FixedVector<int, 4> one;
  FixedVector<int, 4> other;
  one.push_back(1);
  one.push_back(2);
  one.pop_back();
  other.push_back(1);
  EXPECT_TRUE(one == other);
  other.push_back(3);
  EXPECT_FALSE(one == other);
}

TEST(FixedVectorDeathTest, misuse_is_our_bug) {
  FixedVector<int, 2> fixed;
  EXPECT_DEATH(fixed.pop_back(), "size_ > 0");
  fixed.push_back(1);
  EXPECT_DEATH(static_cast<void>(fixed[1]), "index < size_");
  fixed.push_back(2);
  EXPECT_DEATH(fixed.push_back(3), "size_ < Capacity");
}

}  // namespace
}  // namespace mallard
