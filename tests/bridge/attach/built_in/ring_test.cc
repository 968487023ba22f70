#include "bridge/attach/built_in/ring.h"

#include <gtest/gtest.h>

#include <deque>

#include "config/base/prng.h"

namespace mallard::bridge::built_in {
namespace {

TEST(Ring, does_what_a_queue_does) {
  Prng prng(1);
  Ring<int> ring(5);
  std::deque<int> twin;
  for (int i = 0; i < 10'000; ++i) {
    if (prng.between(0, 1) == 0 && !ring.full()) {
      ring.push(i);
      twin.push_back(i);
    } else if (!ring.empty()) {
      EXPECT_EQ(ring.pop(), twin.front());
      twin.pop_front();
    }
    ASSERT_EQ(ring.size(), twin.size());
    EXPECT_EQ(ring.full(), twin.size() == ring.capacity());
    for (std::size_t at = 0; at < twin.size(); ++at) {
      EXPECT_EQ(ring[at], twin[at]);
    }
  }
}

}  // namespace
}  // namespace mallard::bridge::built_in
