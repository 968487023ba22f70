#include "cli/replica/start_board.h"

#include <chrono>
#include <utility>

#include "transport/driver/event_loop.h"

namespace mallard::cli {

using transport::EventLoop;

StartBoard::StartBoard(transport::AdminServer& admin, StartStanding standing, std::string waiting_for)
    : admin_(admin), standing_(std::move(standing)) {
  begin_step(std::move(waiting_for));
  thread_ = std::thread([this] { repeat(); });
}

StartBoard::~StartBoard() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void StartBoard::begin_step(std::string waiting_for) {
  const std::lock_guard lock(mutex_);
  standing_.waiting_for = std::move(waiting_for);
  standing_.since = EventLoop::now();
  publish();
}

void StartBoard::say(std::string waiting_for) {
  const std::lock_guard lock(mutex_);
  standing_.waiting_for = std::move(waiting_for);
}

Duration StartBoard::waited() const {
  const std::lock_guard lock(mutex_);
  return EventLoop::now() - standing_.since;
}

void StartBoard::repeat() {
  constexpr std::chrono::nanoseconds interval(transport::AdminServer::publish_interval.ns);
  std::unique_lock lock(mutex_);
  while (!over_) {
    publish();
    changed_.wait_for(lock, interval);
  }
}

void StartBoard::publish() { admin_.publish(start_page(standing_, EventLoop::now())); }

}  // namespace mallard::cli
