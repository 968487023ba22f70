#include "transport/channel/listener.h"

#include <asio/error.hpp>
#include <asio/ip/address.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include "transport/channel/loop_clock.h"
#include "transport/channel/socket_options.h"

namespace mallard::transport {
namespace {

constexpr int backlog = 128;
constexpr int accepts_per_wake = 64;
constexpr std::chrono::milliseconds pause_without_sockets{100};

std::uint64_t prefix_of(const asio::ip::address& address) {
  if (address.is_v4() || address.to_v6().is_v4_mapped()) {
    const auto v4 =
        address.is_v4() ? address.to_v4() : asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    return v4.to_uint() >> 8U;
  }
  const auto bytes = address.to_v6().to_bytes();
  std::uint64_t prefix = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    prefix = prefix << 8U | bytes[i];
  }
  return prefix;
}

}  // namespace

Listener::Listener(asio::io_context& io, const TlsContext& context, const ChannelLimits& limits,
                   const Hello& ours, Roster roster)
    : io_(io),
      context_(context),
      limits_(limits),
      ours_(ours),
      roster_(roster),
      acceptor_(io.get_executor()),
      pause_(io.get_executor()),
      gate_(limits) {
  pending_.reserve(limits.pending_handshakes);
}

std::error_code Listener::open(const std::string& host, std::uint16_t port) {
  std::error_code error = listen_at(acceptor_, host, port, backlog);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  return error;
}

void Listener::start(Callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  wait();
}

void Listener::stop() {
  stopped_ = true;
  callbacks_ = {};
  std::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  for (const auto& run : pending_) {
    run->cancel();
  }
  pending_.clear();
}

void Listener::wait() {
  acceptor_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](std::error_code error) {
    if (error || self->stopped_) {
      return;
    }
    if (self->accept_some()) {
      self->wait();
    } else {
      self->pause();
    }
  });
}

// The backlog would wake us again at once, and for nothing.
void Listener::pause() {
  pause_.expires_after(pause_without_sockets);
  pause_.async_wait([self = shared_from_this()](std::error_code error) {
    if (!error && !self->stopped_) {
      self->wait();
    }
  });
}

// False when the machine has no more sockets for us.
bool Listener::accept_some() {
  for (int i = 0; i < accepts_per_wake; ++i) {
    Socket socket(io_.get_executor());
    asio::ip::tcp::endpoint source;
    std::error_code error;
    acceptor_.accept(socket, source, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      return true;
    }
    if (error == asio::error::connection_aborted || error == asio::error::interrupted) {
      continue;
    }
    if (error) {
      return false;
    }
    ++counters_.accepted;
    admit(std::move(socket), source.address());
  }
  return true;
}

// Cheap checks first: nothing is allocated for who comes too often.
void Listener::admit(Socket socket, const asio::ip::address& source) {
  const bool slow_enough = gate_.admit(prefix_of(source), loop_now());
  const bool room = pending_.size() < limits_.pending_handshakes;
  if (!slow_enough || !room) {
    ++(slow_enough ? counters_.refused_by_pending : counters_.refused_by_rate);
    abandon_on_close(socket.native_handle());
    return;
  }
  if (!prepare_socket(socket.native_handle())) {
    ++counters_.handshakes_failed;
    return;
  }
  TlsStream stream(context_, socket.native_handle(), TlsStream::Role::listener, roster_.keys);
  const auto run = std::make_shared<HandshakeRun>(
      std::move(socket), Handshake(std::move(stream), ours_, roster_.addresses), limits_.handshake_bytes);
  pending_.push_back(run);
  run->start(limits_.handshake_deadline,
             [this, self = shared_from_this()](HandshakeRun& over, HandshakeRun::Outcome outcome) {
               finished(over, outcome);
             });
}

void Listener::finished(HandshakeRun& run, HandshakeRun::Outcome outcome) {
  const auto at = std::find_if(pending_.begin(), pending_.end(),
                               [&run](const auto& pending) { return pending.get() == &run; });
  if (at != pending_.end()) {
    pending_.erase(at);
  }
  if (outcome == HandshakeRun::Outcome::done) {
    callbacks_.arrived(run);
    return;
  }
  const Handshake& handshake = run.handshake();
  if (outcome == HandshakeRun::Outcome::too_late) {
    ++counters_.handshake_deadlines;
    return;
  }
  switch (handshake.failure()) {
    case Handshake::Failure::unknown_key:
      ++counters_.unknown_keys;
      break;
    case Handshake::Failure::hello:
      ++counters_.hellos_refused;
      break;
    case Handshake::Failure::none:
    case Handshake::Failure::connection:
      ++counters_.handshakes_failed;
      break;
  }
  if (handshake.peer_is_proved()) {
    callbacks_.failed(handshake.peer(), handshake.problem());
  }
}

}  // namespace mallard::transport
