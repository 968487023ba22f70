#include "bridge/attach/file/sparse_index.h"

#include <gtest/gtest.h>

namespace mallard::bridge::file {
namespace {

TEST(SparseIndex, an_empty_one_knows_no_place) {
  const SparseIndex<int> index(4);
  EXPECT_EQ(index.at_or_before(7), nullptr);
}

TEST(SparseIndex, finds_the_last_place_at_or_before_a_number) {
  SparseIndex<std::uint64_t> index(8);
  for (const std::uint64_t number : {10U, 20U, 30U}) {
    index.offer(number, number * 2);
  }
  EXPECT_EQ(index.at_or_before(9), nullptr);
  EXPECT_EQ(*index.at_or_before(10), 20U);
  EXPECT_EQ(*index.at_or_before(29), 40U);
  EXPECT_EQ(*index.at_or_before(1000), 60U);
}

TEST(SparseIndex, stays_small_and_even_however_much_it_is_offered) {
  SparseIndex<std::uint64_t> index(16);
  constexpr std::uint64_t last = 100'000;
  for (std::uint64_t number = 0; number <= last; ++number) {
    index.offer(number, number);
    ASSERT_LE(index.size(), 16U);
  }
  for (std::uint64_t number = 0; number <= last; number += 997) {
    ASSERT_NE(index.at_or_before(number), nullptr);
    EXPECT_LE(*index.at_or_before(number), number);
    EXPECT_LE(number - *index.at_or_before(number), last / 8 + 1) << number;
  }
}

}  // namespace
}  // namespace mallard::bridge::file
