#include "transport/channel/acceptor.h"

#include <asio/ip/address.hpp>
#include <asio/ip/v6_only.hpp>
#include <cerrno>

#include "transport/channel/listen_host.h"

namespace mallard::transport {
namespace {

std::error_code listen_on(Acceptor& acceptor, const asio::ip::tcp::endpoint& endpoint, int backlog) {
  std::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address() == asio::ip::address_v6::any()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor.non_blocking(true, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(backlog, error);
  if (error) {
    std::error_code ignored;
    acceptor.close(ignored);
  }
  return error;
}

bool lacks_ipv6(const std::error_code& error) {
  return error.value() == EAFNOSUPPORT || error.value() == EADDRNOTAVAIL;
}

}  // namespace

std::error_code listen_at(Acceptor& acceptor, const std::string& host, std::uint16_t port, int backlog) {
  if (host == every_address) {
    const std::error_code error = listen_on(acceptor, {asio::ip::address_v6::any(), port}, backlog);
    return lacks_ipv6(error) ? listen_on(acceptor, {asio::ip::address_v4::any(), port}, backlog) : error;
  }
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  return error ? error : listen_on(acceptor, {address, port}, backlog);
}

}  // namespace mallard::transport
