#include "config/base/prng.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

namespace mallard {
namespace {

TEST(Prng, is_split_mix_64) {
  // The published reference outputs for seed 1234567.
  Prng random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
  EXPECT_EQ(random.next(), 4593380528125082431ULL);
  EXPECT_EQ(random.next(), 16408922859458223821ULL);
}

TEST(Prng, below_stays_below_and_reaches_everything) {
  Prng random(1);
  std::array<int, 7> seen{};
  for (int turn = 0; turn < 70'000; ++turn) {
    ++seen.at(random.below(7));
  }
  for (const int count : seen) {
    EXPECT_NEAR(count, 10'000, 500);  // five standard deviations are 463
  }
  EXPECT_EQ(random.below(1), 0U);
  for (int turn = 0; turn < 100; ++turn) {
    EXPECT_LT(random.below(1ULL << 63), 1ULL << 63);
  }
}

TEST(Prng, between_includes_both_ends) {
  Prng random(1);
  std::set<std::uint64_t> seen;
  for (int turn = 0; turn < 1'000; ++turn) {
    seen.insert(random.between(5, 8));
  }
  EXPECT_EQ(seen, (std::set<std::uint64_t>{5, 6, 7, 8}));
  EXPECT_EQ(random.between(9, 9), 9U);
  EXPECT_NE(random.between(0, UINT64_MAX), random.between(0, UINT64_MAX));
}

TEST(Prng, one_in_million_is_a_probability) {
  Prng random(1);
  int hits = 0;
  for (int turn = 0; turn < 100'000; ++turn) {
    hits += random.one_in_million(250'000) ? 1 : 0;
    EXPECT_FALSE(random.one_in_million(0));
    EXPECT_TRUE(random.one_in_million(1'000'000));
  }
  EXPECT_NEAR(hits, 25'000, 700);
}

TEST(Prng, a_child_is_a_stream_of_its_own) {
  const Prng parent(7);
  Prng one = parent.child("loss");
  Prng again = parent.child("loss");
  Prng other = parent.child("delay");
  Prng numbered = parent.child("loss", 1);
  const std::uint64_t first = one.next();
  EXPECT_EQ(first, again.next());
  EXPECT_NE(first, other.next());
  EXPECT_NE(first, numbered.next());
}

TEST(Prng, drawing_from_the_parent_changes_later_children_only) {
  Prng parent(7);
  const std::uint64_t before = parent.child("x").next();
  static_cast<void>(parent.next());
  EXPECT_NE(parent.child("x").next(), before);
  EXPECT_EQ(Prng(7).child("x").next(), before);
}

TEST(PrngDeathTest, an_empty_range_is_our_bug) {
  Prng random(1);
  EXPECT_DEATH(static_cast<void>(random.below(0)), "bound > 0");
  EXPECT_DEATH(static_cast<void>(random.between(2, 1)), "low <= high");
}

}  // namespace
}  // namespace mallard
