#include "transport/channel/loop_clock.h"

#include <gtest/gtest.h>

namespace mallard::transport {
namespace {

TEST(LoopClock, goes_on_and_never_back) {
  const Instant start = loop_now();
  Instant last = start;
  while (last == start) {
    const Instant now = loop_now();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(start, Instant{});
}

}  // namespace
}  // namespace mallard::transport
