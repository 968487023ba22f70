#include "transport/admin/request_queue.h"

#include <utility>

namespace mallard::transport {

RequestQueue::RequestQueue(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { answer(); });
  }
}

void RequestQueue::enqueue(std::function<void()> request) {
  {
    std::unique_lock lock(mutex_);
    went_.wait(lock, [this] { return waiting_.size() < waiting_max_; });
    waiting_.push_back(std::move(request));
  }
  came_.notify_one();
}

void RequestQueue::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  came_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void RequestQueue::answer() {
  for (;;) {
    std::function<void()> request;
    {
      std::unique_lock lock(mutex_);
      came_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
      if (waiting_.empty()) {
        return;
      }
      request = std::move(waiting_.front());
      waiting_.pop_front();
    }
    went_.notify_one();
    request();
  }
}

}  // namespace mallard::transport
