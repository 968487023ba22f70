#include "cli/bench/percentile.h"

#include <gtest/gtest.h>

namespace mallard::cli {
namespace {

TEST(Percentile, IsTheNearestRank) {
  const std::vector<int> ten{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_EQ(percentile(ten, 0.5), 5);
  EXPECT_EQ(percentile(ten, 0.51), 6);
  EXPECT_EQ(percentile(ten, 0.99), 10);
  EXPECT_EQ(percentile(ten, 0.001), 1);
  EXPECT_EQ(percentile(std::vector<int>{7}, 0.999), 7);
}

}  // namespace
}  // namespace mallard::cli
