// The loop of a process: sockets, timers, signals, files and calls from other threads, all on one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>

#include "config/base/time.h"

namespace asio {
class io_context;
}

namespace mallard::transport {

// One thread constructs, runs and destroys it. Callbacks run on that thread, from inside run_ready() and
// wait().
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // What channels live on.
  [[nodiscard]] asio::io_context& io();
  [[nodiscard]] static Instant now();

  // From any thread: `call` runs on the loop soon. Calls of one thread run in their order.
  void post(std::function<void()> call);
  // From any thread, cheap: ends a wait. Any number of calls before the loop gets to it count as one.
  void wake();
  // `ready` is called each time the descriptor can be read, which it must do until nothing is left. The
  // descriptor stays the caller's and outlives the loop.
  void watch_readable(int descriptor, std::function<void()> ready);
  // `arrived` is called with the number of each of these signals; they do not end the process any more. Once
  // per loop.
  void watch_signals(std::initializer_list<int> signals, std::function<void(int)> arrived);

  // Runs callbacks that are ready, at most `calls_max`; returns how many ran. Never waits.
  std::size_t run_ready(std::size_t calls_max);
  // Waits until something is ready or `deadline` has come, then runs like run_ready(): also where the
  // deadline had passed before. `calls_max` is 1 or more.
  std::size_t wait(Instant deadline, std::size_t calls_max);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mallard::transport
