// The threads that answer admin requests: few, with a short queue.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace mallard::transport {

// httplib's own pool takes any number of connections in. This one makes the accepting thread wait when
// `waiting_max` wait already; further connections stay in the kernel's backlog.
class RequestQueue final : public httplib::TaskQueue {
 public:
  RequestQueue(std::size_t threads, std::size_t waiting_max);

  void enqueue(std::function<void()> request) override;
  // Answers what was let in, then ends the threads.
  void shutdown() override;

 private:
  void answer();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::condition_variable went_;
  std::deque<std::function<void()>> waiting_;
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mallard::transport
