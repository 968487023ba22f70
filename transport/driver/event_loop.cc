#include "transport/driver/event_loop.h"

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

namespace mallard::transport {
namespace {

// A wait is never longer, so that a deadline far away cannot overflow the clock's arithmetic.
constexpr Duration wait_max = Duration::seconds(60);

struct WatchedDescriptor {
  WatchedDescriptor(asio::io_context& io, int descriptor, std::function<void()> on_ready)
      : stream(io, descriptor), ready(std::move(on_ready)) {}
  ~WatchedDescriptor() { stream.release(); }
  WatchedDescriptor(const WatchedDescriptor&) = delete;
  WatchedDescriptor& operator=(const WatchedDescriptor&) = delete;

  void wait() {
    stream.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
      if (!error) {
        ready();
        wait();
      }
    });
  }

  asio::posix::stream_descriptor stream;
  std::function<void()> ready;
};

}  // namespace

struct EventLoop::State {
  State() : work(asio::make_work_guard(io)), signals(io) {}

  void wait_for_signal() {
    signals.async_wait([this](const asio::error_code& error, int number) {
      if (!error) {
        signal_arrived(number);
        wait_for_signal();
      }
    });
  }

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::signal_set signals;
  std::function<void(int)> signal_arrived;
  std::vector<std::unique_ptr<WatchedDescriptor>> descriptors;
  std::atomic<bool> wake_posted = false;
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {}

EventLoop::~EventLoop() = default;

asio::io_context& EventLoop::io() { return state_->io; }

Instant EventLoop::now() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return Instant{std::chrono::duration_cast<std::chrono::nanoseconds>(since_start).count()};
}

void EventLoop::post(std::function<void()> call) { asio::post(state_->io, std::move(call)); }

void EventLoop::wake() {
  if (!state_->wake_posted.exchange(true)) {
    asio::post(state_->io, [this] { state_->wake_posted = false; });
  }
}

void EventLoop::watch_readable(int descriptor, std::function<void()> ready) {
  state_->descriptors.push_back(
      std::make_unique<WatchedDescriptor>(state_->io, descriptor, std::move(ready)));
  state_->descriptors.back()->wait();
}

void EventLoop::watch_signals(std::initializer_list<int> signals, std::function<void(int)> arrived) {
  for (const int number : signals) {
    state_->signals.add(number);
  }
  state_->signal_arrived = std::move(arrived);
  state_->wait_for_signal();
}

std::size_t EventLoop::run_ready(std::size_t calls_max) {
  std::size_t calls = 0;
  while (calls < calls_max && state_->io.poll_one() != 0) {
    ++calls;
  }
  return calls;
}

std::size_t EventLoop::wait(Instant deadline, std::size_t calls_max) {
  const Duration left = std::clamp(deadline - now(), Duration{0}, wait_max);
  // run_one_for() does not even look when no time is left.
  const std::size_t first = state_->io.run_one_for(std::chrono::nanoseconds(left.ns));
  return first + run_ready(calls_max - first);
}

}  // namespace mallard::transport
