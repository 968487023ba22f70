#include "transport/admin/request_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

namespace mallard::transport {
namespace {

TEST(RequestQueue, answers_everything_that_was_let_in) {
  RequestQueue queue(2, 4);
  std::atomic<int> answered = 0;
  for (int i = 0; i < 100; ++i) {
    queue.enqueue([&answered] { ++answered; });
  }
  queue.shutdown();
  EXPECT_EQ(answered, 100);
}

TEST(RequestQueue, makes_the_caller_wait_when_it_is_full) {
  RequestQueue queue(1, 1);
  std::promise<void> gate;
  std::promise<void> begun;
  queue.enqueue([&] {
    begun.set_value();
    gate.get_future().wait();
  });
  begun.get_future().wait();
  queue.enqueue([] {});
  const std::future<void> late = std::async(std::launch::async, [&] { queue.enqueue([] {}); });
  EXPECT_EQ(late.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  gate.set_value();
  late.wait();
  queue.shutdown();
}

}  // namespace
}  // namespace mallard::transport
