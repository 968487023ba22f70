#include "transport/admin/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "config/base/prng.h"

namespace mallard::transport {
namespace {

TEST(LatencyHistogram, bounds_grow) {
  EXPECT_TRUE(std::ranges::is_sorted(LatencyHistogram::bounds, std::less_equal<>()));
}

TEST(LatencyHistogram, an_empty_one_tells_zeros) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.sum(), Duration{});
  EXPECT_EQ(histogram.at_most(LatencyHistogram::bounds.size() - 1), 0U);
  EXPECT_EQ(histogram.percentile(99), Duration{});
}

TEST(LatencyHistogram, a_bound_belongs_to_its_bucket) {
  LatencyHistogram histogram;
  histogram.observe(Duration::milliseconds(1));
  histogram.observe(Duration::milliseconds(1) + Duration::nanoseconds(1));
  EXPECT_EQ(histogram.at_most(3), 0U);
  EXPECT_EQ(histogram.at_most(4), 1U);
  EXPECT_EQ(histogram.at_most(5), 2U);
  histogram.observe(Duration::seconds(3600));
  EXPECT_EQ(histogram.at_most(LatencyHistogram::bounds.size() - 1), 2U);
  EXPECT_EQ(histogram.count(), 3U);
  EXPECT_EQ(histogram.percentile(100), Duration::seconds(60));
}

TEST(LatencyHistogram, agrees_with_a_sorted_list) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    Prng prng(seed);
    LatencyHistogram histogram;
    std::vector<Duration> all;
    Duration sum;
    for (int i = 0; i < 5000; ++i) {
      all.push_back(Duration::nanoseconds(static_cast<std::int64_t>(prng.next() >> (28 + prng.below(30)))));
      histogram.observe(all.back());
      sum = sum + all.back();
    }
    std::ranges::sort(all);
    EXPECT_EQ(histogram.sum(), sum);
    for (std::size_t i = 0; i < LatencyHistogram::bounds.size(); ++i) {
      const auto above = std::ranges::upper_bound(all, LatencyHistogram::bounds[i]);
      EXPECT_EQ(histogram.at_most(i), static_cast<std::uint64_t>(above - all.begin()));
    }
    for (const std::uint64_t percent : {1U, 50U, 99U, 100U}) {
      const Duration exact = all[all.size() * percent / 100 - 1];
      const auto bound = std::ranges::lower_bound(LatencyHistogram::bounds, exact);
      const bool beyond = bound == LatencyHistogram::bounds.end();
      EXPECT_EQ(histogram.percentile(percent), beyond ? LatencyHistogram::bounds.back() : *bound) << percent;
    }
  }
}

}  // namespace
}  // namespace mallard::transport
