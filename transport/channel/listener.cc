#include "transport/channel/listener.h"

#include <algorithm>
#include <utility>

#include "transport/channel/loop_clock.h"
#include "transport/channel/socket.h"
#include "transport/channel/socket_options.h"

namespace mallard::transport {
namespace {

constexpr int backlog = 128;

}  // namespace

Listener::Listener(asio::io_context& io, const TlsContext& context, const ChannelLimits& limits,
                   const Hello& ours, Roster roster)
    : io_(io),
      context_(context),
      limits_(limits),
      ours_(ours),
      roster_(roster),
      acceptor_(io),
      gate_(limits) {
  pending_.reserve(limits.pending_handshakes);
}

std::error_code Listener::open(const std::string& host, std::uint16_t port) {
  return acceptor_.open(host, port, backlog);
}

void Listener::start(Callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  acceptor_.start(shared_from_this(), [this](FileDescriptor accepted, const asio::ip::tcp::endpoint& source) {
    admit(std::move(accepted), source);
  });
}

void Listener::stop() {
  stopped_ = true;
  callbacks_ = {};
  acceptor_.stop();
  for (const auto& run : pending_) {
    run->cancel();
  }
  pending_.clear();
}

// Cheap checks first: nothing is allocated for who comes too often.
void Listener::admit(FileDescriptor accepted, const asio::ip::tcp::endpoint& source) {
  ++counters_.accepted;
  const bool slow_enough = gate_.admit(neighbourhood_of(source.address()), loop_now());
  const bool room = pending_.size() < limits_.pending_handshakes;
  if (!slow_enough || !room) {
    ++(slow_enough ? counters_.refused_by_pending : counters_.refused_by_rate);
    abandon_on_close(accepted.number());
    return;
  }
  Socket socket(io_.get_executor());
  std::error_code error;
  if (prepare_socket(accepted.number())) {
    socket.assign(source.protocol(), accepted.number(), error);
  }
  if (!socket.is_open()) {
    ++counters_.handshakes_failed;
    return;
  }
  static_cast<void>(accepted.release());
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
