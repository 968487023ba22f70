#include "tests/bench/peers/peer_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace mallard::bench {

PeerSocket::PeerSocket(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const void* erased = &address;
  const int on = 1;
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (::connect(socket_, static_cast<const sockaddr*>(erased), sizeof(address)) != 0) {
    ::close(socket_);
    throw std::runtime_error("no peer listens on port " + std::to_string(port));
  }
}

PeerSocket::~PeerSocket() { ::close(socket_); }

void PeerSocket::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      throw std::runtime_error("the peer is gone");
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string PeerSocket::read_through(std::string_view end) {
  std::size_t at = 0;
  while ((at = received_.find(end)) == std::string::npos) {
    receive();
  }
  return read(at + end.size());
}

std::string PeerSocket::read(std::size_t bytes) {
  while (received_.size() < bytes) {
    receive();
  }
  std::string taken = received_.substr(0, bytes);
  received_.erase(0, bytes);
  return taken;
}

void PeerSocket::receive() {
  std::array<char, 16'384> chunk{};
  const ssize_t got = ::recv(socket_, chunk.data(), chunk.size(), 0);
  if (got <= 0) {
    throw std::runtime_error("the peer is gone or silent");
  }
  received_.append(chunk.data(), static_cast<std::size_t>(got));
}

}  // namespace mallard::bench
