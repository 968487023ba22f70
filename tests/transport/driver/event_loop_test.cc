#include "transport/driver/event_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>
#include <vector>

namespace mallard::transport {
namespace {

// Long enough that a test that needs it has failed.
Instant patience() { return EventLoop::now() + Duration::seconds(10); }

TEST(EventLoop, a_wait_ends_at_its_deadline) {
  EventLoop loop;
  const Instant start = EventLoop::now();
  EXPECT_EQ(loop.wait(start + Duration::milliseconds(5), 10), 0U);
  EXPECT_GE(EventLoop::now() - start, Duration::milliseconds(5));
  EXPECT_EQ(loop.wait(start, 10), 0U) << "a deadline in the past does not wait";
}

TEST(EventLoop, runs_calls_of_other_threads_in_order) {
  EventLoop loop;
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      loop.post([&order, i] { order.push_back(i); });
    }
  });
  while (order.size() < 100 && loop.wait(patience(), 10) > 0) {
  }
  other.join();
  ASSERT_EQ(order.size(), 100U);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
}

TEST(EventLoop, runs_no_more_calls_than_it_was_allowed) {
  EventLoop loop;
  int ran = 0;
  for (int i = 0; i < 10; ++i) {
    loop.post([&ran] { ++ran; });
  }
  EXPECT_EQ(loop.run_ready(4), 4U);
  EXPECT_EQ(ran, 4);
  EXPECT_EQ(loop.wait(patience(), 3), 3U);
  EXPECT_EQ(ran, 7);
}

TEST(EventLoop, a_deadline_in_the_past_still_runs_what_is_ready) {
  EventLoop loop;
  int ran = 0;
  for (int i = 0; i < 5; ++i) {
    loop.post([&ran] { ++ran; });
  }
  const Instant past = EventLoop::now();
  EXPECT_EQ(loop.wait(past, 2), 2U);
  EXPECT_EQ(loop.wait(past, 10), 3U);
  EXPECT_EQ(ran, 5);
  EXPECT_EQ(loop.wait(past, 10), 0U) << "and does not wait for more";
}

TEST(EventLoop, waking_often_counts_once) {
  EventLoop loop;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.wake();
    }
  });
  other.join();
  EXPECT_EQ(loop.wait(patience(), 100), 1U);
  loop.wake();
  EXPECT_EQ(loop.wait(patience(), 100), 1U);
}

TEST(EventLoop, tells_when_a_descriptor_can_be_read) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  {
    EventLoop loop;
    int reads = 0;
    loop.watch_readable(ends[0], [&] {
      char byte = 0;
      EXPECT_EQ(::read(ends[0], &byte, 1), 1);
      ++reads;
    });
    EXPECT_EQ(loop.run_ready(10), 0U);
    for (int i = 1; i <= 3; ++i) {
      ASSERT_EQ(::write(ends[1], "x", 1), 1);
      while (reads < i && loop.wait(patience(), 1) > 0) {
      }
      EXPECT_EQ(reads, i);
    }
  }
  EXPECT_EQ(::close(ends[0]), 0) << "the descriptor is the caller's";
  ::close(ends[1]);
}

TEST(EventLoop, signals_become_calls) {
  EventLoop loop;
  int got = 0;
  loop.watch_signals({SIGUSR1}, [&got](int number) { got = number; });
  ASSERT_EQ(::raise(SIGUSR1), 0);
  while (got == 0 && loop.wait(patience(), 1) > 0) {
  }
  EXPECT_EQ(got, SIGUSR1);
}

}  // namespace
}  // namespace mallard::transport
