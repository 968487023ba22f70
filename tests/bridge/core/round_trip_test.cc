#include "bridge/core/round_trip.h"

#include <gtest/gtest.h>

#include <cmath>

#include "config/base/prng.h"

namespace mallard::bridge {
namespace {

TEST(RoundTrip, the_first_sample_is_taken_as_it_is) {
  RoundTrip round_trip;
  EXPECT_FALSE(round_trip.known());
  round_trip.add(Duration::milliseconds(80));
  EXPECT_TRUE(round_trip.known());
  EXPECT_EQ(round_trip.smoothed(), Duration::milliseconds(80));
  EXPECT_EQ(round_trip.timeout(), Duration::milliseconds(2 * 80 + 4 * 40));  // RFC 6298: variation R / 2
}

TEST(RoundTrip, a_steady_path_has_a_timeout_of_two_round_trips) {
  RoundTrip round_trip;
  for (int i = 0; i < 200; ++i) {
    round_trip.add(Duration::milliseconds(10));
  }
  EXPECT_EQ(round_trip.smoothed(), Duration::milliseconds(10));
  EXPECT_NEAR(static_cast<double>(round_trip.timeout().ns), 20e6, 1e3);
}

TEST(RoundTrip, follows_rfc_6298_in_floating_point) {
  Prng random(1);
  RoundTrip round_trip;
  double smoothed = 0;
  double variation = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto sample = static_cast<std::int64_t>(random.between(1'000'000, 100'000'000));
    round_trip.add(Duration{sample});
    const auto r = static_cast<double>(sample);
    if (i == 0) {
      smoothed = r;
      variation = r / 2;
    } else {
      variation = 0.75 * variation + 0.25 * std::abs(smoothed - r);
      smoothed = 0.875 * smoothed + 0.125 * r;
    }
    ASSERT_NEAR(static_cast<double>(round_trip.smoothed().ns), smoothed, 50);
    ASSERT_NEAR(static_cast<double>(round_trip.timeout().ns), 2 * smoothed + 4 * variation, 300);
  }
}

TEST(RoundTrip, never_goes_below_zero) {
  RoundTrip round_trip;
  round_trip.add(Duration::seconds(1));
  for (int i = 0; i < 1'000; ++i) {
    round_trip.add(Duration{});
    ASSERT_GE(round_trip.smoothed(), Duration{});
    ASSERT_GE(round_trip.timeout(), round_trip.smoothed());
  }
}

}  // namespace
}  // namespace mallard::bridge
