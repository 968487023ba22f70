// Connects to one peer: waits its pause, looks the name up anew, connects, shakes hands.
#pragma once

#include <asio/ip/basic_resolver.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "transport/channel/channel_limits.h"
#include "transport/channel/handshake_run.h"
#include "transport/channel/hello.h"
#include "transport/channel/loop_timer.h"
#include "transport/channel/peer_identity.h"
#include "transport/channel/redial_pause.h"
#include "transport/channel/socket.h"
#include "transport/channel/tls_context.h"

namespace mallard::transport {

class Dialer : public std::enable_shared_from_this<Dialer> {
 public:
  // Called from the io_context, exactly one of them for each dial.
  struct Callbacks {
    std::function<void(HandshakeRun&)> connected;
    std::function<void(const std::string&)> failed;  // why, for an operator; the next dial is under way
  };

  // `peer`, `context` and `limits` outlive the dialer.
  Dialer(asio::io_context& io, const TlsContext& context, const ChannelLimits& limits, const Hello& ours,
         const PeerIdentity& peer);

  // `pause` is the dialer's own from here on. The first dial follows at once.
  void start(RedialPause pause, Callbacks callbacks);
  // The channel that the last dial led to is gone. `was_good`: it had been up for a while, so the pauses are
  // short again.
  void redial(bool was_good);
  // Gives up; nothing is called any more.
  void stop();

 private:
  void pause_then_dial(Duration pause);
  void dial();
  void on_resolved(std::error_code error);
  void connect();
  void on_connected(std::error_code error);
  void fail(std::string what);

  // True while the callback of that attempt still has a meaning.
  [[nodiscard]] bool is_current(std::uint64_t attempt) const { return !stopped_ && attempt == attempt_; }

  const TlsContext& context_;
  const ChannelLimits& limits_;
  Hello ours_;
  const PeerIdentity& peer_;
  asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type> resolver_;
  // The pause between dials, then the time within which the peer must be connected.
  LoopTimer timer_;
  Socket socket_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;  // of the last look-up, at most a few
  std::size_t next_endpoint_ = 0;                   // moves on with each dial, so that all are tried in turn
  std::shared_ptr<HandshakeRun> run_;
  std::optional<RedialPause> pause_;
  Callbacks callbacks_;
  std::uint64_t attempt_ = 0;
  bool stopped_ = false;
};

}  // namespace mallard::transport
