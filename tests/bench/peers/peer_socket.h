// A plain connection to a peer that is measured.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mallard::bench {

// Blocks. Throws std::runtime_error when the peer is gone or silent for ten seconds.
class PeerSocket {
 public:
  // To a port of this machine.
  explicit PeerSocket(std::uint16_t port);
  ~PeerSocket();
  PeerSocket(const PeerSocket&) = delete;
  PeerSocket& operator=(const PeerSocket&) = delete;

  void send(std::string_view bytes) const;
  // Up to and with the next `end`.
  [[nodiscard]] std::string read_through(std::string_view end);
  [[nodiscard]] std::string read(std::size_t bytes);

 private:
  void receive();

  int socket_;
  std::string received_;  // and not read
};

}  // namespace mallard::bench
