#include "transport/channel/handshake_run.h"

#include <utility>

namespace mallard::transport {

HandshakeRun::HandshakeRun(Socket socket, Handshake handshake, std::size_t bytes_max)
    : socket_(std::move(socket)),
      handshake_(std::move(handshake)),
      bytes_max_(bytes_max),
      deadline_(socket_.get_executor()) {}

void HandshakeRun::start(Duration deadline, Finished finished) {
  finished_ = std::move(finished);
  deadline_.expires_after(std::chrono::nanoseconds(deadline.ns));
  deadline_.async_wait([self = shared_from_this()](std::error_code error) {
    if (!error) {
      self->finish(Outcome::too_late);
    }
  });
  go_on();
}

void HandshakeRun::cancel() {
  finished_ = nullptr;
  deadline_.cancel();
  std::error_code ignored;
  socket_.close(ignored);
}

void HandshakeRun::go_on() {
  const Handshake::Progress progress = handshake_.advance(bytes_max_);
  if (progress == Handshake::Progress::done || progress == Handshake::Progress::failed) {
    finish(progress == Handshake::Progress::done ? Outcome::done : Outcome::failed);
    return;
  }
  const auto what = progress == Handshake::Progress::wants_read ? Socket::wait_read : Socket::wait_write;
  socket_.async_wait(what, [self = shared_from_this()](std::error_code error) {
    if (!error && self->finished_) {
      self->go_on();
    }
  });
}

void HandshakeRun::finish(Outcome outcome) {
  const auto self = shared_from_this();
  const Finished finished = std::exchange(finished_, nullptr);
  if (!finished) {
    return;
  }
  deadline_.cancel();
  finished(*this, outcome);
  if (outcome != Outcome::done) {
    cancel();
  }
}

}  // namespace mallard::transport
