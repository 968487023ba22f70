#include "tests/integration/deployment/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstdlib>
#include <sstream>

#include "config/system/file_descriptor.h"

namespace mallard::integration {
namespace {

std::string fetch(std::uint16_t port, const std::string& path) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit{.tv_sec = 2, .tv_usec = 0};
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const void* bytes = &address;
  if (::connect(socket.number(), static_cast<const sockaddr*>(bytes), sizeof address) != 0) return {};
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(socket.number(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return {};
  }
  std::string answer;
  std::array<char, 16384> part{};
  for (ssize_t got = 0; (got = ::recv(socket.number(), part.data(), part.size(), 0)) > 0;) {
    answer.append(part.data(), static_cast<std::size_t>(got));
  }
  return answer;
}

}  // namespace

std::optional<std::string> http_get(const NetworkNamespace* space, std::uint16_t port,
                                    const std::string& path) {
  std::string answer;
  if (space == nullptr) {
    answer = fetch(port, path);
  } else {
    space->visit([&] { answer = fetch(port, path); });
  }
  const std::size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200") || body == std::string::npos) return std::nullopt;
  return answer.substr(body + 4);
}

std::string http_answer(std::uint16_t port, const std::string& path) { return fetch(port, path); }

double metric_sum(const std::string& metrics, const std::string& name, const std::string& label) {
  std::istringstream lines(metrics);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t end = line.find_first_of("{ ");
    if (line.substr(0, end) != name || line.find(label) == std::string::npos) continue;
    sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  return sum;
}

}  // namespace mallard::integration
