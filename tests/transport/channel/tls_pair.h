// Two ends of a TLS session over a socket pair, in one thread.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/key_pair.h"
#include "transport/channel/tls_context.h"
#include "transport/channel/tls_stream.h"

namespace mallard::transport {

// Two connected, non-blocking sockets.
class SocketPair {
 public:
  SocketPair() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets_.data()) != 0) {
      std::abort();
    }
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  ~SocketPair() {
    close(0);
    close(1);
  }
  [[nodiscard]] int operator[](std::size_t end) const { return sockets_[end]; }
  void close(std::size_t end) {
    if (sockets_[end] >= 0) {
      ::close(std::exchange(sockets_[end], -1));
    }
  }

 private:
  std::array<int, 2> sockets_{-1, -1};
};

// `dialer` and `listener` allow each other's keys, unless a test changes what they allow before make().
struct TlsPair {
  using Progress = TlsStream::Progress;

  void make() {
    dialer.emplace(dialer_context, sockets[0], TlsStream::Role::dialer, dialer_allows);
    listener.emplace(listener_context, sockets[1], TlsStream::Role::listener, listener_allows);
  }
  // Runs both handshakes until each is over or neither moves.
  std::pair<Progress, Progress> shake_hands(std::size_t bytes_max = 16U << 10) {
    make();
    Progress at_dialer = Progress::wants_read;
    Progress at_listener = Progress::wants_read;
    for (int i = 0; i < 20; ++i) {
      const auto goes_on = [](Progress p) { return p == Progress::wants_read || p == Progress::wants_write; };
      if (goes_on(at_dialer)) at_dialer = dialer->handshake(bytes_max);
      if (goes_on(at_listener)) at_listener = listener->handshake(bytes_max);
    }
    return {at_dialer, at_listener};
  }

  crypto::KeyPair dialer_key = crypto::KeyPair::generate();
  crypto::KeyPair listener_key = crypto::KeyPair::generate();
  TlsContext dialer_context{dialer_key};
  TlsContext listener_context{listener_key};
  std::vector<PublicKey> dialer_allows{listener_key.public_key()};
  std::vector<PublicKey> listener_allows{dialer_key.public_key()};
  SocketPair sockets;
  std::optional<TlsStream> dialer;
  std::optional<TlsStream> listener;
};

}  // namespace mallard::transport
