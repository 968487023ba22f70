// The port on which others come in.
#pragma once

#include <asio/basic_socket_acceptor.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "config/system/file_descriptor.h"
#include "transport/channel/loop_timer.h"

namespace mallard::transport {

// A part of the one who listens.
class Acceptor {
 public:
  // Somebody has come from `source`, to a non-blocking socket; nothing about him is known. Called from the
  // io_context.
  using Arrived = std::function<void(FileDescriptor socket, const asio::ip::tcp::endpoint& source)>;

  explicit Acceptor(asio::io_context& io);

  // Listens; after an error it can be tried again. `host`: an IP address of this machine, "0.0.0.0", "::",
  // which takes IPv4 as well whatever the machine's default is, or every_address (listen_host.h). Port 0:
  // any. `backlog`: of connections that nobody has accepted yet.
  [[nodiscard]] std::error_code open(const std::string& host, std::uint16_t port, int backlog);
  // Accepts whenever the machine has sockets for it. `owner`, of whom the acceptor is a part, is held as long
  // as the io_context waits for somebody.
  void start(const std::shared_ptr<void>& owner, Arrived arrived);
  // Closes the port; nothing is called any more.
  void stop();

  // With port 0 while it does not listen.
  [[nodiscard]] asio::ip::tcp::endpoint local_endpoint() const {
    std::error_code closed;
    return socket_.local_endpoint(closed);
  }

 private:
  [[nodiscard]] std::error_code listen_on(const asio::ip::tcp::endpoint& endpoint, int backlog);
  void wait();
  void pause();
  [[nodiscard]] bool accept_some();

  asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type> socket_;
  LoopTimer pause_;
  std::weak_ptr<void> owner_;
  Arrived arrived_;
  bool stopped_ = false;
};

// The neighbourhood of an address, as AcceptGate wants it.
[[nodiscard]] std::uint64_t neighbourhood_of(const asio::ip::address& source);

}  // namespace mallard::transport
