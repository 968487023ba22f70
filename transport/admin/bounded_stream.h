// One connection of the admin server, bounded in bytes and in time as a whole. httplib bounds each read and
// each header line, so that who gives a byte a second, or headers or a first line without end, would hold a
// thread and memory for as long as they like.
#pragma once

#include <httplib.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

#include "config/base/time.h"

namespace mallard::transport {

class BoundedStream final : public httplib::Stream {
 public:
  // `socket` stays the caller's. The request has `request_time` to arrive from now on and may have
  // `request_bytes`, the answer has `answer_time` from its first byte on; beyond that, reads and writes fail.
  // From when `ending`, which outlives the stream, is set by any thread, nobody is waited for: within 100 ms
  // reads fail, and writes that are not taken at once.
  BoundedStream(socket_t socket, std::size_t request_bytes, Duration request_time, Duration answer_time,
                const std::atomic<bool>& ending);

  [[nodiscard]] bool is_readable() const override;
  [[nodiscard]] bool is_writable() const override;
  ssize_t read(char* out, std::size_t size) override;
  ssize_t write(const char* bytes, std::size_t size) override;
  // Nobody here is told apart by its address.
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  [[nodiscard]] socket_t socket() const override { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Whether the socket is ready for `events` before `end`.
  [[nodiscard]] bool wait(short events, Clock::time_point end) const;

  socket_t socket_;
  std::size_t request_bytes_left_;
  Clock::time_point request_end_;
  Clock::duration answer_time_;
  const std::atomic<bool>& ending_;
  Clock::time_point answer_end_{};  // when the answer has begun
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0;  // what is buffered and not yet read
  std::size_t end_ = 0;
};

}  // namespace mallard::transport
