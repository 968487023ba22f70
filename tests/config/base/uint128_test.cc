#include "config/base/uint128.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "config/base/limits.h"
#include "config/base/prng.h"

namespace mallard {
namespace {

// School multiplication in 32-bit digits.
struct Product {
  std::uint64_t high;
  std::uint64_t low;
};

Product multiply(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t al = a & UINT32_MAX;
  const std::uint64_t ah = a >> 32;
  const std::uint64_t bl = b & UINT32_MAX;
  const std::uint64_t bh = b >> 32;
  const std::uint64_t middle = ah * bl + ((al * bl) >> 32);
  const std::uint64_t carried = al * bh + (middle & UINT32_MAX);
  return {ah * bh + (middle >> 32) + (carried >> 32), a * b};
}

TEST(Uint128, products_are_whole) {
  Prng random(1);
  for (int turn = 0; turn < 100'000; ++turn) {
    const std::uint64_t a = random.next() >> random.below(64);
    const std::uint64_t b = random.next() >> random.below(64);
    const Uint128 product = static_cast<Uint128>(a) * b;
    const Product expected = multiply(a, b);
    ASSERT_EQ(static_cast<std::uint64_t>(product >> 64), expected.high);
    ASSERT_EQ(static_cast<std::uint64_t>(product), expected.low);
  }
}

TEST(Uint128, holds_the_sum_of_two_products_of_total_weights) {
  const Uint128 product = static_cast<Uint128>(cluster_weight_max) * cluster_weight_max;
  EXPECT_GT(product + product, product);
}

}  // namespace
}  // namespace mallard
