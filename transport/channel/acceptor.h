// The socket on which others come in.
#pragma once

#include <asio/basic_socket_acceptor.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <system_error>

namespace mallard::transport {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type>;

// Lets `acceptor` listen, non-blocking. `host`: an IP address of this machine, "0.0.0.0", "::", which takes
// IPv4 as well whatever the machine's default is, or every_address (listen_host.h). Port 0: any.
// `backlog`: of connections that nobody has accepted yet.
[[nodiscard]] std::error_code listen_at(Acceptor& acceptor, const std::string& host, std::uint16_t port,
                                        int backlog);

}  // namespace mallard::transport
