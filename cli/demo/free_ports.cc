#include "cli/demo/free_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <random>

namespace mallard::cli {
namespace {

constexpr std::uint32_t lowest = 10'000;

// Where the kernel's own range begins; 32768 unless an administrator moved it.
std::uint32_t ephemeral_begin() {
  std::uint32_t begin = 32'768;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> begin;
  return begin > lowest + 2'000 && begin <= 65'535 ? begin : 65'535;
}

bool is_free(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const void* erased = &address;
  const bool free = ::bind(socket, static_cast<const sockaddr*>(erased), sizeof(address)) == 0;
  ::close(socket);
  return free;
}

}  // namespace

std::vector<std::uint16_t> find_free_ports(std::size_t count) {
  std::random_device random;  // so that two demos that start at once look in different places
  const std::uint32_t room = ephemeral_begin() - lowest;
  std::uint32_t at = random() % room;
  std::vector<std::uint16_t> ports;
  for (std::uint32_t tried = 0; tried < room && ports.size() < count; ++tried, at = (at + 1) % room) {
    const auto port = static_cast<std::uint16_t>(lowest + at);
    if (is_free(port)) {
      ports.push_back(port);
    }
  }
  return ports;
}

}  // namespace mallard::cli
