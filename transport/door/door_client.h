// The other side of the door: a gateway, a client or an operator. Connects, over the local socket or the
// network, says who it is, and connects again when the replica has gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "config/base/payload_pool.h"
#include "config/contract/public_key.h"
#include "crypto/key_pair.h"
#include "transport/door/door_end.h"
#include "transport/door/door_limits.h"
#include "transport/door/door_message.h"

namespace asio {
class io_context;
}

namespace mallard::transport::door {

// Told from the io_context, never from inside a call into the client, so every call into it is allowed. open
// and closed alternate.
class DoorClientObserver {
 public:
  // The replica has welcomed this side. Nothing of an earlier connection arrives any more.
  virtual void on_open(const Welcome& welcome) = 0;
  // What the replica says, without Welcome and Refused. One reference to the body is the observer's to
  // release. A Reply is to a Submit that was not answered before.
  virtual void on_message(const DoorMessage& message) = 0;
  // send() has refused something for lack of room, and now there is some.
  virtual void on_room() = 0;
  // What was submitted and not answered has an unknown outcome.
  virtual void on_closed(DoorEnd end) = 0;
  // An attempt to connect failed; the next one comes after a pause. `what` is a line for people.
  virtual void on_failed(const std::string& what, const std::string& advice) = 0;

 protected:
  ~DoorClientObserver() = default;
};

// The door of a replica on any machine, for clients.
struct RemoteDoor {
  std::string host;  // IPv4 or IPv6 address, or a name that is looked up at each attempt
  std::uint16_t port = 0;
  PublicKey replica;                     // its replica key
  const crypto::KeyPair* key = nullptr;  // the client's; copied into OpenSSL's memory
};

struct DoorClientSettings {
  std::filesystem::path path;        // door_path() of the replica's directory
  std::optional<RemoteDoor> remote;  // instead of `path`
  Role role = Role::client;
  DoorClientLimits limits;
  std::uint64_t seed = 0;  // of the redial jitter
};

// Not thread-safe: constructed, called and destroyed on the thread that runs the io_context; not destroyed
// from inside a call to the observer. After the destructor the io_context may go on running.
class DoorClient {
 public:
  // All three outlive the client.
  struct Ports {
    asio::io_context& io;
    PayloadPool& pool;
    DoorClientObserver& observer;
  };

  // Starts to connect from the io_context. Everything but TLS's is allocated here. Throws as TlsContext.
  DoorClient(const DoorClientSettings& settings, const Ports& ports);
  // Closes the connection. on_closed is not called.
  ~DoorClient();
  DoorClient(const DoorClient&) = delete;
  DoorClient& operator=(const DoorClient&) = delete;

  [[nodiscard]] bool is_open() const;
  // Over the network: the newest attempt to connect failed because the replica does not know our key. The
  // next ones will too, until it runs with another configuration.
  [[nodiscard]] bool is_key_unknown() const;

  // Queues one message of the client's role; the client takes a reference of its own to the body, of its
  // pool. False when the door is not open, the queue is full (on_room() follows), or, for a Submit, as many
  // requests as the replica allows are unanswered (any Reply makes room).
  bool send(const DoorMessage& message);
  // Writes what send() queued. Happens by itself when the io_context runs next.
  void flush();
  // Submits that are not answered.
  [[nodiscard]] std::size_t unanswered() const;

  // The pool has slots again. Costs nothing when nobody waits for one. Without this call a frame that waits
  // for one is tried again every 100 ms.
  void retry_reading();

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace mallard::transport::door
