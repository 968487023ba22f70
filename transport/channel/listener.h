// The side of a ChannelSet that is dialed: accepts within limits, and runs the handshakes of those it let in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "transport/channel/accept_gate.h"
#include "transport/channel/acceptor.h"
#include "transport/channel/channel_counters.h"
#include "transport/channel/channel_limits.h"
#include "transport/channel/handshake_run.h"
#include "transport/channel/hello.h"
#include "transport/channel/tls_context.h"

namespace mallard::transport {

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  // Who may dial us; keys and addresses in the same order. All outlive the listener's last handshake.
  struct Roster {
    std::span<const PublicKey> keys;
    std::span<const ReplicaAddress> addresses;
  };
  // Called from the io_context. Arrived: a peer has proved itself and its hello is good. Failed: a connection
  // that was a known peer's, by its key, was refused.
  struct Callbacks {
    std::function<void(HandshakeRun&)> arrived;
    std::function<void(ReplicaAddress, const std::string&)> failed;
  };

  Listener(asio::io_context& io, const TlsContext& context, const ChannelLimits& limits, const Hello& ours,
           Roster roster);

  // `host` and `port`: as for Acceptor::open().
  [[nodiscard]] std::error_code open(const std::string& host, std::uint16_t port);
  void start(Callbacks callbacks);
  // Closes everything that is not a channel yet; nothing is called any more.
  void stop();

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] AcceptCounters& counters() { return counters_; }

 private:
  void admit(FileDescriptor accepted, const asio::ip::tcp::endpoint& source);
  void finished(HandshakeRun& run, HandshakeRun::Outcome outcome);

  asio::io_context& io_;
  const TlsContext& context_;
  const ChannelLimits& limits_;
  Hello ours_;
  Roster roster_;
  Acceptor acceptor_;
  AcceptGate gate_;
  AcceptCounters counters_;
  Callbacks callbacks_;
  std::vector<std::shared_ptr<HandshakeRun>> pending_;  // at most limits_.pending_handshakes
  bool stopped_ = false;
};

}  // namespace mallard::transport
