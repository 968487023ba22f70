#include "transport/channel/progress_deadline.h"

#include <gtest/gtest.h>

namespace mallard::transport {
namespace {

Instant at(std::int64_t ms) { return Instant{} + Duration::milliseconds(ms); }

TEST(ProgressDeadline, rests_until_something_begins) {
  ProgressDeadline deadline(Duration::milliseconds(100));
  EXPECT_FALSE(deadline.missed(at(1'000'000)));
  deadline.observe(500, at(1000));
  EXPECT_FALSE(deadline.missed(at(1099)));
  EXPECT_TRUE(deadline.missed(at(1100)));
  deadline.rest();
  EXPECT_FALSE(deadline.missed(at(5000)));
}

TEST(ProgressDeadline, asks_for_64_KiB_a_step_and_not_for_a_trickle) {
  ProgressDeadline deadline(Duration::milliseconds(100));
  deadline.observe(0, at(0));
  deadline.observe(65'535, at(99));
  EXPECT_TRUE(deadline.missed(at(100))) << "one byte short";
  deadline.observe(65'536, at(99));
  EXPECT_FALSE(deadline.missed(at(198)));
  deadline.observe(65'536 + 65'535, at(150));
  EXPECT_TRUE(deadline.missed(at(199)));
}

}  // namespace
}  // namespace mallard::transport
