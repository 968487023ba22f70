#include "rsm/core/certify/signers.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/rsm/core/certify/signing_cluster.h"

namespace mallard::rsm::certify {
namespace {

constexpr ReplicaIndex at(std::uint16_t place) { return ReplicaIndex(place); }

TEST(Signers, CountsWeightsAndNotHeads) {
  const SigningCluster cluster(std::array<Weight, 4>{5, 1, 2, 2}, 3, 2);
  const Signers signers{cluster.roster(), at(1)};
  EXPECT_EQ(signers.weight_of(0b1010), 3U);
  EXPECT_FALSE(signers.is_enough(0b0100)) << "r + 1 is 3";
  EXPECT_TRUE(signers.is_enough(0b0001));
  EXPECT_TRUE(signers.is_enough(0b1010));
  EXPECT_EQ(signers.own(), 0b0010U);
  EXPECT_TRUE(signers.has(at(3)));
  EXPECT_FALSE(signers.has(at(4)));
}

TEST(Signers, WhereNobodyLiesOneIsNotEnough) {
  const SigningCluster cluster(std::array<Weight, 3>{1, 1, 1}, 1, 0);
  const Signers signers{cluster.roster(), {}};
  EXPECT_FALSE(signers.is_enough(0b100));
  EXPECT_TRUE(signers.is_enough(0b101));
  EXPECT_EQ(signers.own(), 0U);
}

TEST(Signers, ChoosesTheHeaviestThatIsTrusted) {
  const SigningCluster cluster(std::array<Weight, 4>{1, 3, 3, 9}, 5, 2);
  Signers signers{cluster.roster(), at(0)};
  EXPECT_EQ(signers.choose(0b0111), at(1)) << "the first of equals";
  EXPECT_EQ(signers.choose(0b1111), at(3));
  signers.suspects = 0b1010;
  EXPECT_EQ(signers.choose(0b1111), at(2));
  EXPECT_EQ(signers.choose(0b1010), at(3)) << "better than nobody";
}

}  // namespace
}  // namespace mallard::rsm::certify
