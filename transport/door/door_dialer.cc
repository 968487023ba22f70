#include "transport/door/door_dialer.h"

#include <fmt/format.h>

#include <asio/ip/address.hpp>
#include <asio/post.hpp>
#include <span>
#include <utility>

#include "transport/channel/socket_options.h"

namespace mallard::transport::door {
namespace {

constexpr std::size_t endpoints_max = 8;
constexpr std::size_t handshake_bytes_max = 16U << 10;
constexpr const char* look_at_network = "check the address in the configuration, and that the replica runs";

}  // namespace

DoorDialer::DoorDialer(asio::io_context& io, const RemoteDoor& door, Duration deadline)
    : host_(door.host),
      port_(door.port),
      replica_(door.replica),
      deadline_(deadline),
      context_(*door.key),
      resolver_(io.get_executor()),
      timer_(io.get_executor()),
      socket_(io.get_executor()) {}

void DoorDialer::stop() {
  stopped_ = true;
  callbacks_ = {};
  resolver_.cancel();
  timer_.cancel();
  tls_.reset();
  std::error_code ignored;
  socket_.close(ignored);
}

void DoorDialer::dial() {
  ++attempt_;
  timer_.expires_after(std::chrono::nanoseconds(deadline_.ns));
  timer_.async_wait([self = shared_from_this(), attempt = attempt_](std::error_code error) {
    if (!error && self->is_current(attempt)) {
      self->fail("no answer in time", look_at_network);
    }
  });
  std::error_code not_numeric;
  const asio::ip::address address = asio::ip::make_address(host_, not_numeric);
  if (!not_numeric) {
    endpoints_.assign(1, asio::ip::tcp::endpoint(address, port_));
    connect();
    return;
  }
  resolver_.async_resolve(
      host_, std::to_string(port_), asio::ip::resolver_base::numeric_service,
      [self = shared_from_this(), attempt = attempt_](std::error_code error, const auto& found) {
        if (!self->is_current(attempt)) {
          return;
        }
        self->endpoints_.clear();
        for (const auto& entry : found) {
          if (self->endpoints_.size() < endpoints_max) {
            self->endpoints_.push_back(entry.endpoint());
          }
        }
        if (error || self->endpoints_.empty()) {
          self->fail(fmt::format("the name is not known: {}", error.message()), look_at_network);
        } else {
          self->connect();
        }
      });
}

void DoorDialer::connect() {
  const asio::ip::tcp::endpoint endpoint = endpoints_[next_endpoint_++ % endpoints_.size()];
  std::error_code error;
  socket_.close(error);
  socket_.open(endpoint.protocol(), error);
  if (!error && !prepare_socket(socket_.native_handle())) {
    error = std::make_error_code(std::errc::bad_file_descriptor);
  }
  const auto connected = [self = shared_from_this(), attempt = attempt_](std::error_code connect_error) {
    if (self->is_current(attempt)) {
      self->on_connected(connect_error);
    }
  };
  if (error) {
    asio::post(socket_.get_executor(), [connected, error] { connected(error); });
  } else {
    socket_.async_connect(endpoint, connected);
  }
}

void DoorDialer::on_connected(std::error_code error) {
  if (error) {
    fail(error.message(), look_at_network);
    return;
  }
  tls_.emplace(context_, socket_.native_handle(), TlsStream::Role::dialer,
               std::span<const PublicKey>(&replica_, 1));
  shake_hands();
}

void DoorDialer::shake_hands() {
  const TlsStream::Progress progress = tls_->handshake(handshake_bytes_max);
  if (progress == TlsStream::Progress::wants_read || progress == TlsStream::Progress::wants_write) {
    socket_.async_wait(progress == TlsStream::Progress::wants_read ? Socket::wait_read : Socket::wait_write,
                       [self = shared_from_this(), attempt = attempt_](std::error_code error) {
                         if (!error && self->is_current(attempt)) {
                           self->shake_hands();
                         }
                       });
    return;
  }
  if (progress != TlsStream::Progress::done) {
    fail_handshake(progress);
    return;
  }
  ++attempt_;
  timer_.cancel();
  TlsStream tls = std::move(*tls_);
  tls_.reset();
  std::error_code ignored;
  FileDescriptor socket(socket_.release(ignored));
  callbacks_.connected(std::move(socket), std::move(tls));
}

void DoorDialer::fail_handshake(TlsStream::Progress progress) {
  if (tls_->refused_unknown_key()) {
    fail("it is not the replica that the configuration names", "compare the replica's keys in the file");
  } else if (tls_->peer_refused_certificate()) {
    fail("it does not know our key", "put the key under `clients:` of the replica's configuration");
  } else if (progress == TlsStream::Progress::refused) {
    fail(fmt::format("TLS failed: {}", tls_->failure()), look_at_network);
  } else {
    fail("it ended the connection during the handshake", "try again: it may have too many connections");
  }
}

void DoorDialer::fail(const std::string& what, const std::string& advice) {
  ++attempt_;
  resolver_.cancel();
  timer_.cancel();
  tls_.reset();
  std::error_code ignored;
  socket_.close(ignored);
  callbacks_.failed(fmt::format("{}:{}: {}", host_, port_, what), advice);
}

}  // namespace mallard::transport::door
