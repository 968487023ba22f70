// Connects to a replica's door on another machine: looks its name up anew, connects, proves our key, and has
// the replica prove its own.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/basic_resolver.hpp>
#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "config/base/time.h"
#include "crypto/key_pair.h"
#include "transport/channel/loop_timer.h"
#include "transport/channel/socket.h"
#include "transport/channel/tls_context.h"
#include "transport/channel/tls_stream.h"
#include "transport/door/door_client.h"
#include "transport/door/door_socket.h"

namespace mallard::transport::door {

class DoorDialer : public std::enable_shared_from_this<DoorDialer> {
 public:
  // Called from the io_context, exactly one of them for each dial().
  struct Callbacks {
    std::function<void(FileDescriptor socket, TlsStream tls)> connected;  // the stream stands on the socket
    std::function<void(const std::string& what, const std::string& advice)> failed;
  };

  // `deadline` is of each dial. Throws as TlsContext.
  DoorDialer(asio::io_context& io, const RemoteDoor& door, Duration deadline);

  // Before the first dial().
  void start(Callbacks callbacks) { callbacks_ = std::move(callbacks); }
  // No dial is under way.
  void dial();
  // Gives up; nothing is called any more.
  void stop();

 private:
  void connect();
  void on_connected(std::error_code error);
  void shake_hands();
  void fail_handshake(TlsStream::Progress progress);
  void fail(const std::string& what, const std::string& advice);

  // True while the callback of that attempt still has a meaning.
  [[nodiscard]] bool is_current(std::uint64_t attempt) const { return !stopped_ && attempt == attempt_; }

  const std::string host_;
  const std::uint16_t port_;
  const PublicKey replica_;
  const Duration deadline_;
  TlsContext context_;
  asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type> resolver_;
  LoopTimer timer_;
  Socket socket_;
  std::optional<TlsStream> tls_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;  // of the last look-up, at most a few
  std::size_t next_endpoint_ = 0;                   // moves on with each dial, so that all are tried in turn
  Callbacks callbacks_;
  std::uint64_t attempt_ = 0;
  bool stopped_ = false;
};

}  // namespace mallard::transport::door
