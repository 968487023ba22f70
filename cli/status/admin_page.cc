#include "cli/status/admin_page.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "config/system/file_descriptor.h"

namespace mallard::cli {
namespace {

constexpr std::size_t page_bytes_max = 8U << 20;

// An address of either family.
struct SocketAddress {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  bool is_v6 = false;

  [[nodiscard]] int family() const { return is_v6 ? AF_INET6 : AF_INET; }
  [[nodiscard]] bool connect(int socket) const {
    const void* erased = is_v6 ? static_cast<const void*>(&v6) : static_cast<const void*>(&v4);
    const auto size = static_cast<socklen_t>(is_v6 ? sizeof(v6) : sizeof(v4));
    return ::connect(socket, static_cast<const sockaddr*>(erased), size) == 0;
  }
};

SocketAddress socket_address(const std::string& address, std::uint16_t port) {
  SocketAddress made;
  made.v4.sin_family = AF_INET;
  made.v4.sin_port = htons(port);
  made.v6.sin6_family = AF_INET6;
  made.v6.sin6_port = htons(port);
  made.is_v6 = ::inet_pton(AF_INET, address.c_str(), &made.v4.sin_addr) != 1 &&
               ::inet_pton(AF_INET6, address.c_str(), &made.v6.sin6_addr) == 1;
  return made;
}

Failure<std::string> failure(const char* call) {
  return Failure<std::string>(fmt::format("{}: {}", call, std::generic_category().message(errno)));
}

timeval to_timeval(Duration span) {
  return {.tv_sec = span.ns / 1'000'000'000, .tv_usec = span.ns / 1000 % 1'000'000};
}

Result<std::string, std::string> body_of(const std::string& answer) {
  if (!answer.starts_with("HTTP/1.1 200 ") && !answer.starts_with("HTTP/1.0 200 ")) {
    return Failure<std::string>("answered " + answer.substr(0, answer.find('\r')));
  }
  const std::size_t head_end = answer.find("\r\n\r\n");
  if (head_end == std::string::npos) {
    return Failure<std::string>("answered with half a page");
  }
  return answer.substr(head_end + 4);
}

}  // namespace

Result<std::string, std::string> fetch_page(std::uint16_t port, std::string_view path, Duration patience,
                                            const std::string& address) {
  const auto start = std::chrono::steady_clock::now();
  const SocketAddress to = socket_address(address, port);
  const FileDescriptor socket(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval limit = to_timeval(patience);
  ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (!to.connect(socket.number())) {
    return failure("connect");
  }
  const std::string request =
      fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
  if (::send(socket.number(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return failure("send");
  }
  std::string answer;
  std::array<char, 16'384> piece{};
  for (;;) {
    const ssize_t got = ::recv(socket.number(), piece.data(), piece.size(), 0);
    if (got < 0) {
      return failure("recv");
    }
    if (got == 0) {
      return body_of(answer);
    }
    answer.append(piece.data(), static_cast<std::size_t>(got));
    if (answer.size() > page_bytes_max ||
        std::chrono::steady_clock::now() - start > std::chrono::nanoseconds(patience.ns)) {
      return Failure<std::string>("took too long");
    }
  }
}

}  // namespace mallard::cli
