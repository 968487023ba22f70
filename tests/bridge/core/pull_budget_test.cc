#include "bridge/core/pull_budget.h"

#include <gtest/gtest.h>

#include "config/base/prng.h"

namespace mallard::bridge {
namespace {

constexpr Instant start{Duration::seconds(100).ns};

TEST(PullBudget, the_same_batch_is_not_served_twice_in_a_short_time) {
  PullBudget budget;
  EXPECT_TRUE(budget.grant(7, start));
  EXPECT_FALSE(budget.grant(7, start));
  EXPECT_FALSE(budget.grant(7, start + PullBudget::repeat_after - Duration{1}));
  EXPECT_TRUE(budget.grant(8, start));
  EXPECT_TRUE(budget.grant(7, start + PullBudget::repeat_after));
}

TEST(PullBudget, a_large_batch_is_served_and_leaves_a_debt) {
  PullBudget budget;
  EXPECT_TRUE(budget.grant(1, start));
  budget.spend(static_cast<std::uint32_t>(PullBudget::burst_bytes - 1));
  EXPECT_TRUE(budget.grant(2, start));
  budget.spend(1 << 20);
  EXPECT_FALSE(budget.grant(3, start));
  // The debt of 1 MiB less a byte is earned back at 64 MiB/s: not in 15 ms, in 17 ms.
  EXPECT_FALSE(budget.grant(3, start + Duration::milliseconds(15)));
  EXPECT_TRUE(budget.grant(3, start + Duration::milliseconds(17)));
}

TEST(PullBudget, asking_often_earns_no_more) {
  // Refills of less than a microsecond's worth must not be rounded up, nor be lost for ever.
  PullBudget budget;
  std::uint64_t served = 0;
  std::uint64_t batch = 0;
  const Duration period = Duration::seconds(10);
  for (Instant now = start; now < start + period; now = now + Duration::nanoseconds(12'345)) {
    if (budget.grant(++batch, now)) {
      budget.spend(100'000);
      served += 100'000;
    }
  }
  const double earned = static_cast<double>(PullBudget::burst_bytes) + 10.0 * PullBudget::bytes_per_second;
  EXPECT_LE(static_cast<double>(served), earned + 100'000);
  EXPECT_GE(static_cast<double>(served), 0.9 * earned);
}

TEST(PullBudget, a_pause_earns_at_most_the_burst) {
  PullBudget budget;
  EXPECT_TRUE(budget.grant(1, start));
  budget.spend(static_cast<std::uint32_t>(PullBudget::burst_bytes));
  EXPECT_FALSE(budget.grant(2, start));
  const Instant later = start + Duration::seconds(3'600);
  EXPECT_TRUE(budget.grant(3, later));
  budget.spend(static_cast<std::uint32_t>(PullBudget::burst_bytes));
  EXPECT_FALSE(budget.grant(4, later));
}

TEST(PullBudget, remembers_the_latest_batch_of_each_place) {
  // 256 places: a batch that shares its place with a later one may be served again; its neighbours may not.
  PullBudget budget;
  EXPECT_TRUE(budget.grant(5, start));
  EXPECT_TRUE(budget.grant(6, start));
  EXPECT_TRUE(budget.grant(5 + 256, start));
  EXPECT_TRUE(budget.grant(5, start));
  EXPECT_FALSE(budget.grant(6, start));
}

}  // namespace
}  // namespace mallard::bridge
