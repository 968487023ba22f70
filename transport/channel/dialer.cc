#include "transport/channel/dialer.h"

#include <fmt/format.h>

#include <utility>

#include "transport/channel/socket_options.h"

namespace mallard::transport {
namespace {

constexpr std::size_t endpoints_max = 8;

}  // namespace

Dialer::Dialer(asio::io_context& io, const TlsContext& context, const ChannelLimits& limits,
               const Hello& ours, const PeerIdentity& peer)
    : context_(context),
      limits_(limits),
      ours_(ours),
      peer_(peer),
      resolver_(io.get_executor()),
      timer_(io.get_executor()),
      socket_(io.get_executor()) {}

void Dialer::start(RedialPause pause, Callbacks callbacks) {
  pause_ = pause;
  callbacks_ = std::move(callbacks);
  pause_then_dial(Duration{});
}

void Dialer::redial(bool was_good) {
  if (was_good) {
    pause_->reset();
  }
  pause_then_dial(pause_->draw());
}

void Dialer::stop() {
  stopped_ = true;
  callbacks_ = {};
  resolver_.cancel();
  timer_.cancel();
  std::error_code ignored;
  socket_.close(ignored);
  if (run_) {
    run_->cancel();
    run_.reset();
  }
}

void Dialer::pause_then_dial(Duration pause) {
  ++attempt_;
  timer_.expires_after(std::chrono::nanoseconds(pause.ns));
  timer_.async_wait([self = shared_from_this(), attempt = attempt_](std::error_code error) {
    if (!error && self->is_current(attempt)) {
      self->dial();
    }
  });
}

void Dialer::dial() {
  timer_.expires_after(std::chrono::nanoseconds(limits_.handshake_deadline.ns));
  timer_.async_wait([self = shared_from_this(), attempt = attempt_](std::error_code error) {
    if (!error && self->is_current(attempt)) {
      self->fail("no answer in time");
    }
  });
  std::error_code not_numeric;
  const asio::ip::address address = asio::ip::make_address(peer_.host, not_numeric);
  if (!not_numeric) {
    endpoints_.assign(1, asio::ip::tcp::endpoint(address, peer_.port));
    connect();
    return;
  }
  resolver_.async_resolve(
      peer_.host, std::to_string(peer_.port), asio::ip::resolver_base::numeric_service,
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
        self->on_resolved(error);
      });
}

void Dialer::on_resolved(std::error_code error) {
  if (error || endpoints_.empty()) {
    fail(fmt::format("the name is not known: {}", error.message()));
    return;
  }
  connect();
}

void Dialer::connect() {
  const asio::ip::tcp::endpoint endpoint = endpoints_[next_endpoint_++ % endpoints_.size()];
  std::error_code error;
  socket_.close(error);
  socket_.open(endpoint.protocol(), error);
  if (error || !prepare_socket(socket_.native_handle())) {
    fail(fmt::format("no socket: {}", error.message()));
    return;
  }
  socket_.async_connect(endpoint,
                        [self = shared_from_this(), attempt = attempt_](std::error_code connect_error) {
                          if (self->is_current(attempt)) {
                            self->on_connected(connect_error);
                          }
                        });
}

void Dialer::on_connected(std::error_code error) {
  if (error) {
    fail(error.message());
    return;
  }
  timer_.cancel();
  TlsStream stream(context_, socket_.native_handle(), TlsStream::Role::dialer, {&peer_.key, 1});
  run_ = std::make_shared<HandshakeRun>(
      std::move(socket_), Handshake(std::move(stream), ours_, {&peer_.address, 1}), limits_.handshake_bytes);
  const auto on_finished = [self = shared_from_this(), attempt = attempt_](HandshakeRun& run,
                                                                           HandshakeRun::Outcome outcome) {
    if (!self->is_current(attempt)) {
      return;
    }
    if (outcome == HandshakeRun::Outcome::done) {
      const auto keep = std::exchange(self->run_, nullptr);
      self->callbacks_.connected(run);
    } else {
      self->fail(outcome == HandshakeRun::Outcome::too_late ? "connected, but no handshake in time"
                                                            : run.handshake().problem());
    }
  };
  run_->start(limits_.handshake_deadline, on_finished);
}

void Dialer::fail(std::string what) {
  resolver_.cancel();
  std::error_code ignored;
  socket_.close(ignored);
  run_.reset();
  pause_then_dial(pause_->draw());
  callbacks_.failed(fmt::format("{}:{}: {}", peer_.host, peer_.port, what));
}

}  // namespace mallard::transport
