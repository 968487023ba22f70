#include "bridge/core/apportionment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "config/base/prng.h"
#include "config/base/uint128.h"

namespace mallard::bridge {
namespace {

using Weights = std::vector<Weight>;
using Counts = std::vector<std::uint64_t>;

FixedVector<Weight, replicas_max> fixed(const Weights& weights) {
  FixedVector<Weight, replicas_max> list;
  for (const Weight weight : weights) {
    list.push_back(weight);
  }
  return list;
}

Counts seats_of(const Weights& weights, std::uint16_t seats) {
  const Seats given = apportion(fixed(weights), seats);
  return {given.begin(), given.end()};
}

// The same, by a person with a pile of slips: everybody's whole seats first; then the slips with what is left
// over are sorted, and the first of them get a seat each.
Counts seats_slowly(const Weights& weights, std::uint64_t seats) {
  struct Slip {
    Uint128 left_over;
    std::size_t replica;
  };
  const Uint128 total = std::accumulate(weights.begin(), weights.end(), Uint128{0});
  Counts given;
  std::vector<Slip> slips;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Uint128 entitled = Uint128{seats} * weights[i];
    given.push_back(static_cast<std::uint64_t>(entitled / total));
    slips.push_back({entitled - given.back() * total, i});
  }
  std::stable_sort(slips.begin(), slips.end(),
                   [](const Slip& a, const Slip& b) { return a.left_over > b.left_over; });
  const std::uint64_t whole = std::accumulate(given.begin(), given.end(), std::uint64_t{0});
  for (std::uint64_t i = 0; i < seats - whole; ++i) {
    ++given[slips[i].replica];
  }
  return given;
}

TEST(Apportionment, GivesWhatPicsouFigure5Gives) {
  EXPECT_EQ(seats_of({25, 25, 25, 25}, 100), (Counts{25, 25, 25, 25}));
  EXPECT_EQ(seats_of({250, 250, 250, 250}, 100), (Counts{25, 25, 25, 25}));
  EXPECT_EQ(seats_of({214, 262, 262, 262}, 100), (Counts{22, 26, 26, 26}));
  EXPECT_EQ(seats_of({97, 1, 1, 1}, 10), (Counts{10, 0, 0, 0}));
}

TEST(Apportionment, EqualRemaindersFallToTheLowerIndex) {
  EXPECT_EQ(seats_of({1, 1, 1, 1}, 6), (Counts{2, 2, 1, 1}));
  EXPECT_EQ(seats_of({5, 5, 5}, 1), (Counts{1, 0, 0}));
}

TEST(Apportionment, TheLargestStakesDoNotWrapAround) {
  EXPECT_EQ(seats_of({cluster_weight_max}, UINT16_MAX), Counts{UINT16_MAX});
  EXPECT_EQ(seats_of({cluster_weight_max - 1, 1}, 1024), (Counts{1024, 0}));
  EXPECT_EQ(seats_of({1ULL << 62, (1ULL << 62) - 1}, 1024), (Counts{512, 512}));
  EXPECT_EQ(seats_of(Weights(64, (1ULL << 57) - 1), 1024), Counts(64, 16));
}

// Nobody is a whole seat away from what it is entitled to, and who weighs more gets no less.
TEST(Apportionment, KeepsToTheQuotaAndAgreesWithItsTwin) {
  Prng random(5);
  std::uint64_t without_any = 0;
  for (int turn = 0; turn < 50'000; ++turn) {
    const std::uint64_t n = random.between(1, random.below(20) == 0 ? 64 : 9);
    const std::uint64_t magnitude = random.between(0, 56);
    Weights weights;
    for (std::uint64_t i = 0; i < n; ++i) {
      weights.push_back(random.between(1, 1ULL << random.between(0, magnitude)));
    }
    const auto seats = static_cast<std::uint16_t>(random.between(1, random.below(2) == 0 ? 20 : 1024));
    const Counts given = seats_of(weights, seats);
    ASSERT_EQ(given, seats_slowly(weights, seats)) << testing::PrintToString(weights) << ", " << seats;
    ASSERT_EQ(std::accumulate(given.begin(), given.end(), std::uint64_t{0}), seats);
    const Uint128 total = std::accumulate(weights.begin(), weights.end(), Uint128{0});
    for (std::size_t i = 0; i < n; ++i) {
      const Uint128 entitled = Uint128{seats} * weights[i];
      ASSERT_TRUE(given[i] * total < entitled + total && entitled < (given[i] + 1) * total);
      ASSERT_TRUE(weights[i] <= weights[0] || given[i] >= given[0]);
      without_any += given[i] == 0 ? 1U : 0U;
    }
  }
  EXPECT_GT(without_any, 1000U);
}

TEST(ApportionmentDeathTest, WeightsThatNoClusterHasAreOurBug) {
  EXPECT_DEATH(static_cast<void>(apportion(fixed({}), 1)), "total >= 1");
  EXPECT_DEATH(static_cast<void>(apportion(fixed({1, 0}), 1)), "weight >= 1");
  EXPECT_DEATH(static_cast<void>(apportion(fixed({cluster_weight_max, 1}), 1)), "weight <= cluster");
  EXPECT_DEATH(static_cast<void>(apportion(fixed({UINT64_MAX, 2}), 1)), "weight <= cluster");
  EXPECT_DEATH(static_cast<void>(apportion(fixed({1}), 0)), "seats >= 1");
}

}  // namespace
}  // namespace mallard::bridge
