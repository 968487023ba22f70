// Waiting for what another thread does, with a deadline instead of a sleep.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace mallard::bridge::file {

class Signal {
 public:
  void raise() {
    {
      const std::lock_guard lock(mutex_);
      ++raised_;
    }
    changed_.notify_all();
  }
  // Waits for the next raise() after the last one waited for; false after ten seconds without.
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return raised_ > seen_; }) &&
           ++seen_ > 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned raised_ = 0;
  unsigned seen_ = 0;
};

}  // namespace mallard::bridge::file
