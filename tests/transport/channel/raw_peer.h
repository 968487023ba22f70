// A peer with a good key that can say anything it likes on an established channel.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "crypto/key_pair.h"
#include "transport/channel/handshake.h"

namespace mallard::transport {

// A non-blocking connection to a port of this machine, from any of its loopback addresses; -1 when it fails.
// Closing it leaves nothing behind in the kernel.
inline int connect_to(std::uint16_t port, std::uint32_t source = INADDR_LOOPBACK) {
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(made, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(source);
  if (::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(made);
    return -1;
  }
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::fcntl(made, F_SETFL, O_NONBLOCK) != 0) {
    ::close(made);
    return -1;
  }
  return made;
}

class RawPeer {
 public:
  // Dials `port` as the replica that `hello` names and `key` belongs to; `other` is expected there.
  RawPeer(std::uint16_t port, const crypto::KeyPair& key, const PeerIdentity& other, const Hello& hello)
      : context_(key), allowed_{other.key}, addresses_{other.address}, socket_(connect_to(port)) {
    handshake_.emplace(TlsStream(context_, socket_, TlsStream::Role::dialer, allowed_), hello, addresses_);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { hang_up(); }

  // One step of the handshake; true when it is done.
  bool advance() { return handshake_->advance(16U << 10) == Handshake::Progress::done; }
  [[nodiscard]] TlsStream& stream() { return handshake_->stream(); }

  // As much as the socket takes.
  std::size_t say(ByteView bytes) {
    std::size_t said = 0;
    while (said < bytes.size()) {
      const auto transfer = stream().write(bytes.subspan(said));
      if (transfer.progress != TlsStream::Progress::done) {
        break;
      }
      said += transfer.bytes;
    }
    static_cast<void>(stream().flush());
    return said;
  }
  // What the other end did with the connection; wants_read while it is open.
  TlsStream::Progress look() {
    std::vector<std::byte> room(20'000);
    for (;;) {
      const auto transfer = stream().read(room);
      if (transfer.progress != TlsStream::Progress::done) {
        return transfer.progress;
      }
    }
  }
  void hang_up() {
    if (socket_ >= 0) {
      ::close(std::exchange(socket_, -1));
    }
  }

 private:
  TlsContext context_;
  std::vector<PublicKey> allowed_;
  std::vector<ReplicaAddress> addresses_;
  int socket_;
  std::optional<Handshake> handshake_;
};

}  // namespace mallard::transport
