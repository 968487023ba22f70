// A handshake on a socket: waits, goes on, gives up at its deadline.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <system_error>

#include "config/base/time.h"
#include "transport/channel/handshake.h"
#include "transport/channel/loop_timer.h"
#include "transport/channel/socket.h"

namespace mallard::transport {

// Keeps itself alive while it waits.
class HandshakeRun : public std::enable_shared_from_this<HandshakeRun> {
 public:
  enum class Outcome : std::uint8_t { done, failed, too_late };
  // Called once, from the io_context, unless cancel() comes first.
  using Finished = std::function<void(HandshakeRun&, Outcome)>;

  HandshakeRun(Socket socket, Handshake handshake, std::size_t bytes_max);

  void start(Duration deadline, Finished finished);
  // Closes the socket; nothing is called any more.
  void cancel();

  [[nodiscard]] Handshake& handshake() { return handshake_; }
  // After done; the run is over then.
  [[nodiscard]] Socket take_socket() { return std::move(socket_); }

 private:
  void go_on();
  void finish(Outcome outcome);

  Socket socket_;
  Handshake handshake_;
  std::size_t bytes_max_;
  LoopTimer deadline_;
  Finished finished_;
};

}  // namespace mallard::transport
