// A door over the network, and callers that prove a key and then say what they like.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <vector>

#include "crypto/key_pair.h"
#include "crypto/sodium.h"
#include "tests/transport/door/door_world.h"
#include "transport/channel/tls_context.h"
#include "transport/channel/tls_stream.h"

namespace mallard::transport::door {

// A connection from `from`, a loopback address, to a port of 127.0.0.1; non-blocking.
inline FileDescriptor connect_from(const char* from, std::uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  ::inet_pton(AF_INET, from, &here.sin_addr);
  sockaddr_in there{};
  there.sin_family = AF_INET;
  there.sin_port = htons(port);
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0;
  if (!bound || (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0 &&
                 errno != EINPROGRESS)) {
    return {};
  }
  return socket;
}

// Whether the other side has closed it.
inline bool is_closed(const FileDescriptor& socket) {
  std::byte ignored[64];
  const ssize_t got = ::recv(socket.number(), ignored, sizeof ignored, MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

class RawClient {
 public:
  RawClient(std::uint16_t port, const crypto::KeyPair& key, const PublicKey& replica,
            const char* from = "127.0.0.1")
      : replica_(replica),
        context_(key),
        socket_(connect_from(from, port)),
        tls_(context_, socket_.number(), TlsStream::Role::dialer, std::span(&replica_, 1)) {}

  // Goes on with the handshake; true when it is done.
  bool is_done() {
    if (!done_ && !broken_) {
      const auto progress = tls_.handshake(64U << 10);
      done_ = progress == TlsStream::Progress::done;
      broken_ = !done_ && progress != TlsStream::Progress::wants_read &&
                progress != TlsStream::Progress::wants_write;
    }
    return done_;
  }
  // True when all was taken.
  bool say(ByteView bytes) {
    while (!bytes.empty()) {
      const auto transfer = tls_.write(bytes);
      if (transfer.progress != TlsStream::Progress::done) {
        return false;
      }
      bytes = bytes.subspan(transfer.bytes);
    }
    return tls_.flush() == TlsStream::Progress::done;
  }
  // A message with a body of zeros, or the first `count` bytes of it.
  bool say(const DoorMessage& message, std::size_t count = SIZE_MAX) {
    std::vector<std::byte> bytes(frame_header_bytes + head_bytes_max);
    bytes.resize(encode_head(message, bytes));
    bytes.resize(bytes.size() + body_of(message).bytes);
    return say(ByteView(bytes).first(std::min(count, bytes.size())));
  }
  // Reads away; true when the other side has ended it.
  bool is_closed() {
    std::array<std::byte, 16384> bytes{};
    while (!broken_) {
      const auto transfer = tls_.read(bytes);
      if (transfer.progress == TlsStream::Progress::wants_read) {
        return false;
      }
      broken_ = transfer.progress != TlsStream::Progress::done;
      heard_ += transfer.bytes;
    }
    return true;
  }
  [[nodiscard]] std::size_t heard() const { return heard_; }

 private:
  const PublicKey replica_;
  TlsContext context_;
  FileDescriptor socket_;
  TlsStream tls_;
  bool done_ = false;
  bool broken_ = false;
  std::size_t heard_ = 0;
};

// The door of a replica that knows two clients.
class NetworkDoorTest : public DoorTest {
 protected:
  void listen() {
    open_server();
    settings_over_network.host = "127.0.0.1";
    settings_over_network.clients = {first.public_key(), second.public_key()};
    const auto listening = server->listen_for_clients(settings_over_network, replica_key);
    ASSERT_TRUE(listening.has_value()) << listening.error().what;
  }
  void open_remote(const crypto::KeyPair& key) {
    client_settings.remote = RemoteDoor{.host = "127.0.0.1",
                                        .port = server->clients_port(),
                                        .replica = replica_key.public_key(),
                                        .key = &key};
    client = std::make_unique<DoorClient>(client_settings, DoorClient::Ports{io, client_pool, caller});
  }
  std::unique_ptr<RawClient> enter(const crypto::KeyPair& key, const char* from = "127.0.0.1") {
    auto raw = std::make_unique<RawClient>(server->clients_port(), key, replica_key.public_key(), from);
    EXPECT_TRUE(run_until([&] { return raw->is_done(); }));
    return raw;
  }
  std::unique_ptr<RawClient> enter_and_greet(const crypto::KeyPair& key) {
    const std::size_t opened = replica.opened.size();
    auto raw = enter(key);
    EXPECT_TRUE(raw->say(Hello{.role = Role::client}));
    EXPECT_TRUE(run_until([&] { return replica.opened.size() > opened; }));
    return raw;
  }
  [[nodiscard]] std::uint64_t ended(DoorEnd end) const {
    return server->counters().clients_ended[static_cast<std::size_t>(end)];
  }

  struct SodiumStart {
    SodiumStart() { crypto::start_sodium(); }
  };
  SodiumStart sodium;
  crypto::KeyPair replica_key = crypto::KeyPair::generate();
  crypto::KeyPair first = crypto::KeyPair::generate();
  crypto::KeyPair second = crypto::KeyPair::generate();
  ClientDoorSettings settings_over_network;
};

}  // namespace mallard::transport::door
