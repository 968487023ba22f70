// Where clients on other machines come in: accepts within limits and lets those through who prove, by TLS 1.3
// (transport/channel/tls_context.h), one of the keys that are known.
//
// A connection that says nothing costs a descriptor and a place in a table, no TLS: that is made when the
// first bytes come. When all places are taken the oldest has to go, so that who hurries always finds one.
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "config/contract/public_key.h"
#include "crypto/key_pair.h"
#include "transport/channel/accept_gate.h"
#include "transport/channel/acceptor.h"
#include "transport/channel/handler_memory.h"
#include "transport/channel/loop_timer.h"
#include "transport/channel/tls_context.h"
#include "transport/channel/tls_stream.h"
#include "transport/door/door_limits.h"
#include "transport/door/door_socket.h"

namespace mallard::transport::door {

struct ClientListenerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused_by_rate = 0;      // closed at once: too many of them, or from one neighbourhood
  std::uint64_t evicted = 0;              // the oldest, when all places were taken
  std::uint64_t handshake_deadlines = 0;  // half-open until the deadline
  std::uint64_t handshakes_failed = 0;    // not TLS, wrong TLS, closed early
  std::uint64_t unknown_keys = 0;         // proved a key that is nobody's
  std::uint64_t handshakes_done = 0;
};

class ClientListener : public std::enable_shared_from_this<ClientListener> {
 public:
  // Somebody has proved to be the client with this number; the stream stands on the socket.
  using Arrived = std::function<void(FileDescriptor socket, TlsStream tls, std::size_t client)>;

  // All memory but TLS's is allocated here. `clients` are distinct. Throws as TlsContext.
  ClientListener(asio::io_context& io, const crypto::KeyPair& key, std::vector<PublicKey> clients,
                 const ClientListenerLimits& limits);

  ~ClientListener();
  ClientListener(const ClientListener&) = delete;
  ClientListener& operator=(const ClientListener&) = delete;

  // `host` and `port`: as for Acceptor::open(); port() tells what it is.
  [[nodiscard]] std::error_code open(const std::string& host, std::uint16_t port);
  void start(Arrived arrived);
  // Closes everything; nothing is called any more.
  void stop();

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] const ClientListenerCounters& counters() const { return counters_; }
  // Connections that have proved nothing yet.
  [[nodiscard]] std::size_t pending() const { return pending_; }

 private:
  struct Entrant;
  struct Wait;

  void admit(FileDescriptor socket, const asio::ip::tcp::endpoint& source);
  Entrant& place_for_one();
  void wait_for(Entrant& entrant, bool readable);
  void on_ready(Entrant& entrant);
  void work();
  void shake_hands(Entrant& entrant);
  void drop(Entrant& entrant);
  void watch();
  void check_deadlines();

  TlsContext context_;
  const std::vector<PublicKey> clients_;
  const ClientListenerLimits limits_;
  Acceptor acceptor_;
  LoopTimer watch_;
  LoopTimer work_;
  HandlerMemory handler_memory_;
  AcceptGate gate_;
  ClientListenerCounters counters_;
  Arrived arrived_;
  std::vector<std::unique_ptr<Entrant>> entrants_;
  std::size_t pending_ = 0;
  std::vector<Entrant*> ready_;  // first come, first served; each at most once
  Instant work_at_;              // no handshake goes on before
  bool work_waits_ = false;
  bool watching_ = false;
  bool stopped_ = false;
};

}  // namespace mallard::transport::door
