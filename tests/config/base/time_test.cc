#include "config/base/time.h"

#include <gtest/gtest.h>

#include "config/base/prng.h"
#include "config/base/uint128.h"

namespace mallard {
namespace {

__extension__ typedef __int128 Wide;

std::int64_t saturated(Wide exact) {
  constexpr std::int64_t top = Duration::forever().ns;
  return exact > top ? top : static_cast<std::int64_t>(exact);
}

TEST(Time, sums_and_products_saturate_at_the_top) {
  Prng random(1);
  for (int turn = 0; turn < 100'000; ++turn) {
    const auto a = static_cast<std::int64_t>(random.next() >> (1 + random.below(62)));
    const auto b = static_cast<std::int64_t>(random.next() >> (1 + random.below(62)));
    const Duration x{a};
    const Duration y{b};
    ASSERT_EQ((x + y).ns, saturated(Wide{a} + b));
    ASSERT_EQ((x * b).ns, saturated(Wide{a} * b));
    ASSERT_EQ((Instant{a} + y).ns, saturated(Wide{a} + b));
    ASSERT_EQ((Instant{a} - Instant{b}).ns, a - b);
    ASSERT_EQ((Instant{a} - y).ns, a - b);
  }
}

TEST(Time, units_agree) {
  EXPECT_EQ(Duration::seconds(1), Duration::milliseconds(1'000));
  EXPECT_EQ(Duration::milliseconds(1), Duration::microseconds(1'000));
  EXPECT_EQ(Duration::microseconds(1), Duration::nanoseconds(1'000));
  EXPECT_EQ(Duration::seconds(3) / 2, Duration::milliseconds(1'500));
}

TEST(Time, never_stays_never) {
  EXPECT_EQ(Instant::never() + Duration::seconds(1), Instant::never());
  EXPECT_EQ(Instant{5} + Duration::forever(), Instant::never());
  EXPECT_EQ(Duration::forever() * 2, Duration::forever());
  EXPECT_LT(Instant{1}, Instant::never());
}

}  // namespace
}  // namespace mallard
