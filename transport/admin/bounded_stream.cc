#include "transport/admin/bounded_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace mallard::transport {
namespace {

// How long the end of the server may go unnoticed.
constexpr std::chrono::milliseconds slice{100};

}  // namespace

BoundedStream::BoundedStream(socket_t socket, std::size_t request_bytes, Duration request_time,
                             Duration answer_time, const std::atomic<bool>& ending)
    : socket_(socket),
      request_bytes_left_(request_bytes),
      request_end_(Clock::now() + std::chrono::nanoseconds(request_time.ns)),
      answer_time_(std::chrono::nanoseconds(answer_time.ns)),
      ending_(ending) {}

bool BoundedStream::is_readable() const { return begin_ < end_ || wait(POLLIN, request_end_); }

bool BoundedStream::is_writable() const { return wait(POLLOUT, Clock::now() + answer_time_); }

ssize_t BoundedStream::read(char* out, std::size_t size) {
  if (begin_ == end_) {
    const std::size_t room = std::min(buffer_.size(), request_bytes_left_);
    if (room == 0 || !wait(POLLIN, request_end_)) {
      return -1;
    }
    const ssize_t got = ::recv(socket_, buffer_.data(), room, MSG_DONTWAIT);
    if (got <= 0) {
      return got;
    }
    begin_ = 0;
    end_ = static_cast<std::size_t>(got);
    request_bytes_left_ -= end_;
  }
  const std::size_t part = std::min(size, end_ - begin_);
  std::memcpy(out, buffer_.data() + begin_, part);
  begin_ += part;
  return static_cast<ssize_t>(part);
}

ssize_t BoundedStream::write(const char* bytes, std::size_t size) {
  if (answer_end_ == Clock::time_point{}) {
    answer_end_ = Clock::now() + answer_time_;
  }
  return wait(POLLOUT, answer_end_) ? ::send(socket_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
}

void BoundedStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void BoundedStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

bool BoundedStream::wait(short events, Clock::time_point end) const {
  pollfd source{.fd = socket_, .events = events, .revents = 0};
  for (;;) {
    const bool ending = ending_;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0 || (ending && events == POLLIN)) {
      return false;
    }
    const auto pause = ending ? std::chrono::milliseconds(0) : std::min(left, slice);
    const int ready = ::poll(&source, 1, static_cast<int>(pause.count()));
    if (ready != 0 || ending) {
      return ready == 1;
    }
  }
}

}  // namespace mallard::transport
