#include "transport/channel/acceptor.h"

#include <sys/socket.h>

#include <asio/ip/v6_only.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "transport/channel/listen_host.h"

namespace mallard::transport {
namespace {

constexpr int accepts_per_wake = 64;
constexpr std::chrono::milliseconds pause_without_sockets{100};

bool lacks_ipv6(const std::error_code& error) {
  return error.value() == EAFNOSUPPORT || error.value() == EADDRNOTAVAIL;
}

}  // namespace

Acceptor::Acceptor(asio::io_context& io) : socket_(io.get_executor()), pause_(io.get_executor()) {}

std::error_code Acceptor::open(const std::string& host, std::uint16_t port, int backlog) {
  if (host == every_address) {
    const std::error_code error = listen_on({asio::ip::address_v6::any(), port}, backlog);
    return lacks_ipv6(error) ? listen_on({asio::ip::address_v4::any(), port}, backlog) : error;
  }
  std::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  return error ? error : listen_on({address, port}, backlog);
}

std::error_code Acceptor::listen_on(const asio::ip::tcp::endpoint& endpoint, int backlog) {
  std::error_code error;
  socket_.open(endpoint.protocol(), error);
  if (!error) socket_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && endpoint.address() == asio::ip::address_v6::any()) {
    socket_.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) socket_.non_blocking(true, error);
  if (!error) socket_.bind(endpoint, error);
  if (!error) socket_.listen(backlog, error);
  if (error) {
    std::error_code ignored;
    socket_.close(ignored);
  }
  return error;
}

void Acceptor::start(const std::shared_ptr<void>& owner, Arrived arrived) {
  owner_ = owner;
  arrived_ = std::move(arrived);
  wait();
}

void Acceptor::stop() {
  stopped_ = true;
  std::error_code ignored;
  socket_.close(ignored);
  pause_.cancel();
}

void Acceptor::wait() {
  socket_.async_wait(asio::socket_base::wait_read, [this, owner = owner_.lock()](std::error_code error) {
    if (error || stopped_) {
      return;
    }
    if (accept_some()) {
      wait();
    } else {
      pause();
    }
  });
}

// The backlog would wake us again at once, and for nothing.
void Acceptor::pause() {
  pause_.expires_after(pause_without_sockets);
  pause_.async_wait([this, owner = owner_.lock()](std::error_code error) {
    if (!error && !stopped_) {
      wait();
    }
  });
}

// False when the machine has no more sockets for us.
bool Acceptor::accept_some() {
  for (int i = 0; i < accepts_per_wake && !stopped_; ++i) {
    asio::ip::tcp::endpoint source;
    auto length = static_cast<socklen_t>(source.capacity());
    FileDescriptor made(
        ::accept4(socket_.native_handle(), source.data(), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (made.is_open()) {
      arrived_(std::move(made), source);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return true;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return false;
    }
  }
  return true;
}

std::uint64_t neighbourhood_of(const asio::ip::address& source) {
  if (source.is_v4()) {
    return source.to_v4().to_uint() >> 8U;
  }
  if (source.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, source.to_v6()).to_uint() >> 8U;
  }
  const auto bytes = source.to_v6().to_bytes();
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8U | bytes[i];
  }
  return prefix;
}

}  // namespace mallard::transport
