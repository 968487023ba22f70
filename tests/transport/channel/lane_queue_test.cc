#include "transport/channel/lane_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "config/base/prng.h"

namespace mallard::transport {
namespace {

// Against the obvious queue, with heads that wrap around the ring at every place.
TEST(LaneQueue, agrees_with_a_queue_without_rings) {
  struct Frame {
    std::vector<std::byte> head;
    PayloadRef body;
  };
  const LaneLimits limits{.frames = 7, .head_bytes = frame_head_bytes_max + 37, .body_bytes = 10'000};
  LaneQueue queue(limits);
  std::deque<Frame> twin;
  Prng prng(7);
  const auto twin_bytes = [&twin](bool heads) {
    std::size_t sum = 0;
    for (const Frame& frame : twin) {
      sum += heads ? frame.head.size() : frame.body.bytes;
    }
    return sum;
  };
  std::size_t refused = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (prng.below(2) == 0) {
      Frame frame{std::vector<std::byte>(1 + prng.below(prng.below(8) == 0 ? 4096 : 900)),
                  {.slot = 1, .bytes = static_cast<std::uint32_t>(prng.below(4000))}};
      for (std::byte& b : frame.head) {
        b = static_cast<std::byte>(prng.below(256));
      }
      const bool body_fits =
          twin_bytes(false) == 0 || twin_bytes(false) + frame.body.bytes <= limits.body_bytes;
      const bool fits = twin.size() < limits.frames &&
                        twin_bytes(true) + frame.head.size() <= limits.head_bytes && body_fits;
      ASSERT_EQ(queue.push(frame.head, frame.body), fits);
      refused += fits ? 0U : 1U;
      if (fits) {
        twin.push_back(frame);
      }
    } else if (!twin.empty()) {
      ASSERT_EQ(queue.front_head_bytes(), twin.front().head.size());
      ASSERT_EQ(queue.front_body(), twin.front().body);
      std::vector<std::byte> head(queue.front_head_bytes());
      queue.copy_front_head(head);
      ASSERT_EQ(head, twin.front().head);
      queue.pop();
      twin.pop_front();
    }
    ASSERT_EQ(queue.frames(), twin.size());
    ASSERT_EQ(queue.empty(), twin.empty());
    ASSERT_EQ(queue.bytes(), twin_bytes(true) + twin_bytes(false));
  }
  EXPECT_GT(refused, 100U) << "the limits were reached";
}

TEST(LaneQueue, lets_one_body_pass_that_is_larger_than_the_lane) {
  LaneQueue queue({.frames = 4, .head_bytes = frame_head_bytes_max, .body_bytes = 100});
  const std::vector<std::byte> head(10);
  EXPECT_TRUE(queue.push(head, {.slot = 1, .bytes = 5000}));
  EXPECT_FALSE(queue.push(head, {.slot = 2, .bytes = 1}));
  queue.pop();
  EXPECT_TRUE(queue.push(head, {.slot = 2, .bytes = 100}));
}

}  // namespace
}  // namespace mallard::transport
