#include "config/base/ids.h"

#include <gtest/gtest.h>

#include <concepts>
#include <type_traits>

namespace mallard {
namespace {

// What the type is for: none of these compile.
static_assert(!std::is_convertible_v<std::uint64_t, BatchNumber>);
static_assert(!std::is_convertible_v<BatchNumber, std::uint64_t>);
static_assert(!std::is_convertible_v<BatchNumber, MessageNumber>);
static_assert(!std::is_constructible_v<MessageNumber, BatchNumber>);
static_assert(!std::equality_comparable_with<BatchNumber, MessageNumber>);
static_assert(!std::equality_comparable_with<BatchNumber, std::uint64_t>);

TEST(Ids, zero_means_none_yet_and_one_is_first) {
  EXPECT_EQ(BatchNumber().value, 0U);
  EXPECT_EQ(BatchNumber().next(), BatchNumber(1));
}

TEST(Ids, order_is_that_of_the_numbers_at_every_boundary) {
  for (const std::uint64_t n : {1ULL << 31, 1ULL << 32, 1ULL << 63}) {
    EXPECT_LT(BatchNumber(n - 1), BatchNumber(n));
    EXPECT_EQ(BatchNumber(n - 1).next(), BatchNumber(n));
    EXPECT_GT(BatchNumber(n).next(), BatchNumber(n));
  }
}

TEST(Ids, addresses_order_by_cluster_then_replica) {
  const ReplicaAddress low{ClusterIndex(1), ReplicaIndex(9)};
  const ReplicaAddress high{ClusterIndex(2), ReplicaIndex(0)};
  EXPECT_LT(low, high);
  EXPECT_LT(low, (ReplicaAddress{ClusterIndex(1), ReplicaIndex(10)}));
  EXPECT_NE(low, (ReplicaAddress{ClusterIndex(9), ReplicaIndex(1)}));
}

}  // namespace
}  // namespace mallard
