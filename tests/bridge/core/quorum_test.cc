#include "bridge/core/quorum.h"

#include <gtest/gtest.h>

#include <vector>

#include "config/base/prng.h"

namespace mallard::bridge {
namespace {

using Weights = FixedVector<Weight, replicas_max>;

// The definition, word for word: try every value that occurs.
std::uint64_t highest_backed_slowly(const std::vector<std::uint64_t>& values, const Weights& weights,
                                    Weight threshold) {
  std::uint64_t best = 0;
  for (const std::uint64_t candidate : values) {
    Weight weight = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      weight += values[i] >= candidate ? weights[i] : 0;
    }
    if (weight >= threshold && candidate > best) {
      best = candidate;
    }
  }
  return best;
}

Weights weights_of(const std::vector<Weight>& list) {
  Weights weights;
  for (const Weight weight : list) {
    weights.push_back(weight);
  }
  return weights;
}

TEST(Quorum, agrees_with_the_definition) {
  Prng random(1);
  constexpr std::uint64_t boundaries[] = {0, 1ULL << 31, 1ULL << 32, (1ULL << 63) - 10};
  for (int turn = 0; turn < 50'000; ++turn) {
    const std::uint64_t n = random.between(1, random.below(20) == 0 ? 64 : 9);
    const std::uint64_t base = boundaries[random.below(4)];
    std::vector<std::uint64_t> values;
    Weights weights;
    Weight total = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      values.push_back(random.below(5) == 0 ? 0 : base + random.below(20));
      weights.push_back(random.between(1, random.below(2) == 0 ? 3 : 1ULL << 56));
      total += weights[i];
    }
    const Weight threshold = random.between(1, total);
    ASSERT_EQ(highest_backed(values, weights, threshold), highest_backed_slowly(values, weights, threshold));
    ASSERT_EQ(highest_backed(values, weights, total + 1), 0U);

    const std::uint64_t mask = random.next();
    Weight sum = 0;
    for (std::uint64_t i = 0; i < n; ++i) {
      sum += (mask >> i) % 2 == 1 ? weights[i] : 0;
    }
    ASSERT_EQ(weight_of(mask, weights), sum);
  }
}

TEST(Quorum, takes_exactly_the_threshold) {
  const Weights weights = weights_of({1, 1, 1, 1});
  const std::vector<std::uint64_t> values{9, 7, 5, 0};
  EXPECT_EQ(highest_backed(values, weights, 1), 9U);
  EXPECT_EQ(highest_backed(values, weights, 2), 7U);
  EXPECT_EQ(highest_backed(values, weights, 3), 5U);
  EXPECT_EQ(highest_backed(values, weights, 4), 0U);
}

TEST(Quorum, a_whale_alone_may_be_enough_and_minnows_are_not) {
  const Weights weights = weights_of({97, 1, 1, 1});
  EXPECT_EQ(highest_backed(std::vector<std::uint64_t>{4, 9, 9, 9}, weights, 4), 4U);
  EXPECT_EQ(highest_backed(std::vector<std::uint64_t>{0, 9, 9, 9}, weights, 3), 9U);
}

TEST(Quorum, bits_beyond_the_cluster_weigh_nothing) {
  EXPECT_EQ(weight_of(~0ULL, weights_of({2, 3})), 5U);
  EXPECT_EQ(weight_of(~3ULL, weights_of({2, 3})), 0U);
}

TEST(QuorumDeathTest, values_without_weights_are_our_bug) {
  EXPECT_DEATH(static_cast<void>(highest_backed(std::vector<std::uint64_t>{1}, weights_of({1, 1}), 1)),
               "values.size");
}

}  // namespace
}  // namespace mallard::bridge
