#include "cli/gateway/lag_clock.h"

#include <gtest/gtest.h>

namespace mallard::cli {
namespace {

Instant at(std::int64_t milliseconds) { return Instant{} + Duration::milliseconds(milliseconds); }

TEST(LagClock, nothing_behind_is_no_lag_however_long_nothing_happens) {
  LagClock clock;
  EXPECT_EQ(clock.lag(0, at(5'000)), Duration{});
  clock.observe(10, at(6'000));
  EXPECT_EQ(clock.lag(10, at(3'600'000)), Duration{});
}

TEST(LagClock, counts_from_the_oldest_message_that_is_not_applied) {
  LagClock clock;
  clock.observe(10, at(100));
  clock.observe(20, at(200));
  clock.observe(30, at(300));
  EXPECT_EQ(clock.lag(5, at(400)), Duration::milliseconds(300));
  EXPECT_EQ(clock.lag(10, at(400)), Duration::milliseconds(200));
  EXPECT_EQ(clock.lag(29, at(400)), Duration::milliseconds(100));
  EXPECT_EQ(clock.lag(30, at(400)), Duration{});
}

TEST(LagClock, goes_on_growing_while_nothing_is_applied_and_nothing_new_comes) {
  LagClock clock;
  clock.observe(1, at(0));
  for (std::int64_t hour = 1; hour < 100; ++hour) {
    clock.observe(1, at(hour * 3'600'000));
    EXPECT_EQ(clock.lag(0, at(hour * 3'600'000)), Duration::seconds(hour * 3'600));
  }
}

TEST(LagClock, stays_exact_about_the_oldest_however_much_comes_after_it) {
  LagClock clock;
  for (std::int64_t i = 0; i < 1'000'000; ++i) {
    clock.observe(static_cast<std::uint64_t>(i) + 1, at(i * 2));
  }
  EXPECT_EQ(clock.lag(0, at(2'000'000)), Duration::milliseconds(2'000'000));
}

}  // namespace
}  // namespace mallard::cli
