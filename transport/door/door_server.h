// The replica's side of the door: accepts, checks who calls and what he may say, hands messages over. Callers
// come in over the local socket, and clients also over the network where the replica listens for them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/ids.h"
#include "config/base/payload_pool.h"
#include "config/base/result.h"
#include "config/contract/public_key.h"
#include "crypto/key_pair.h"
#include "transport/door/client_listener.h"
#include "transport/door/door_end.h"
#include "transport/door/door_limits.h"
#include "transport/door/door_message.h"
#include "transport/door/door_socket.h"

namespace asio {
class io_context;
}

namespace mallard::transport::door {

// One connection of one caller; never used again for another.
struct DoorConnection {
  std::uint32_t place = 0;
  std::uint32_t life = 0;
  friend constexpr bool operator==(DoorConnection, DoorConnection) = default;
};

struct DoorPeer {
  Role role = Role::client;
  DoorCaller caller;  // over the local socket
  std::optional<std::uint32_t>
      client;  // over the network: which of ClientDoorSettings::clients it has proved to be
};

struct DoorServerCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused_by_pending = 0;          // closed at once: limits.pending were taken
  std::uint64_t refused_by_user = 0;             // closed at once: another user's process
  std::array<std::uint64_t, door_ends> ended{};  // by DoorEnd, hello said or not
  std::uint64_t submits = 0;
  std::uint64_t replies = 0;
  std::uint64_t messages_refused = 0;  // by send(): connection gone or queue full

  // Of clients over the network; what is above counts submits and replies of all.
  ClientListenerCounters listener;
  std::uint64_t clients_refused_by_places = 0;  // proved, and closed: limits.connections were taken
  std::uint64_t clients_refused_by_share = 0;   // likewise, of this client: limits.connections_per_client
  std::array<std::uint64_t, door_ends> clients_ended{};  // as `ended`, which counts only the others
};

// Told from the io_context, never from inside a call into the server, so every call into it is allowed.
class DoorServerObserver {
 public:
  // Somebody said Hello and was welcomed.
  virtual void on_open(DoorConnection from, const DoorPeer& peer) = 0;
  // One reference to the message's body is the observer's to release. Submit: to be answered by one Reply,
  // Load by one Loaded, of the same request.
  virtual void on_message(DoorConnection from, const DoorMessage& message) = 0;
  // send() has refused something for lack of room, and now half of the queue is free.
  virtual void on_room(DoorConnection to) = 0;
  // The connection is gone: what it asked for need not be answered. Told once after on_open().
  virtual void on_closed(DoorConnection from, DoorEnd end) = 0;

 protected:
  ~DoorServerObserver() = default;
};

struct DoorServerSettings {
  std::filesystem::path path;  // door_path() of the replica's directory
  ReplicaAddress replica;
  Incarnation incarnation;
  DoorServerLimits limits;
};

// The door over the network.
struct ClientDoorSettings {
  std::string host;                // as for Acceptor::open() (transport/channel/acceptor.h)
  std::uint16_t port = 0;          // 0: any; clients_port() tells
  std::vector<PublicKey> clients;  // who may come in; distinct
  ClientDoorLimits limits;
};

// Not thread-safe: constructed, called and destroyed on the thread that runs the io_context; not destroyed
// from inside a call to the observer. After the destructor the io_context may go on running.
class DoorServer {
 public:
  // All three outlive the server.
  struct Ports {
    asio::io_context& io;
    PayloadPool& pool;
    DoorServerObserver& observer;
  };

  // Listens. Everything that connections use is allocated here.
  [[nodiscard]] static Result<std::unique_ptr<DoorServer>, DoorProblem> open(
      const DoorServerSettings& settings, const Ports& ports);
  // Closes everything and removes the socket's file. on_closed is not called.
  ~DoorServer();
  DoorServer(const DoorServer&) = delete;
  DoorServer& operator=(const DoorServer&) = delete;

  // Lets clients in over the network, too: as clients and as nothing else. At most once. `key` is the
  // replica's; its secret is copied into OpenSSL's memory. Everything but TLS's is allocated here. Throws as
  // TlsContext.
  [[nodiscard]] Result<void, DoorProblem> listen_for_clients(const ClientDoorSettings& settings,
                                                             const crypto::KeyPair& key);
  [[nodiscard]] std::uint16_t clients_port() const;

  // Queues one message; the server takes a reference of its own to the body, of its pool. False, and counted,
  // when the connection is gone or its queue full; on_room() follows then. A Reply to, or a Loaded for, an
  // open request always finds room; one that is not open is our bug, unless the connection is gone.
  bool send(DoorConnection to, const DoorMessage& message);
  // Writes what send() queued. Happens by itself when the io_context runs next.
  void flush();

  // Stops and goes on reading from a connection: the back-pressure of who has no room for more.
  void pause(DoorConnection from);
  void resume(DoorConnection from);
  // Closes the connection, if it is there; on_closed() follows from the io_context.
  void close(DoorConnection connection);

  // The pool has slots again: connections that waited for one are read on. Costs nothing when none does.
  // Without this call they are tried again every 100 ms.
  void retry_reading();

  [[nodiscard]] const DoorServerCounters& counters() const;
  // Welcomed and not closed; clients over the network are not counted here,
  [[nodiscard]] std::size_t connections(Role role) const;
  // but here, and who of them has proved nothing yet.
  [[nodiscard]] std::size_t client_connections() const;
  [[nodiscard]] std::size_t client_handshakes() const;

 private:
  class State;
  explicit DoorServer(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// The memory that a server of these limits takes, in bytes; bodies are the pool's.
[[nodiscard]] std::uint64_t door_memory_bytes(const DoorServerLimits& limits);
// What listen_for_clients() adds at most, with all places taken: OpenSSL's buffers, too.
[[nodiscard]] std::uint64_t client_door_memory_bytes(const ClientDoorLimits& limits);

}  // namespace mallard::transport::door
