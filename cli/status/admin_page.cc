#include "cli/status/admin_page.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace mallard::cli {
namespace {

constexpr std::size_t page_bytes_max = 8U << 20;

struct Socket {
  int number = -1;
  ~Socket() {
    if (number >= 0) {
      ::close(number);
    }
  }
};

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

Result<std::string, std::string> fetch_page(std::uint16_t port, std::string_view path, Duration patience) {
  const auto start = std::chrono::steady_clock::now();
  const Socket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval limit = to_timeval(patience);
  ::setsockopt(socket.number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const void* erased = &address;
  if (::connect(socket.number, static_cast<const sockaddr*>(erased), sizeof(address)) != 0) {
    return failure("connect");
  }
  const std::string request =
      fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
  if (::send(socket.number, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return failure("send");
  }
  std::string answer;
  std::array<char, 16'384> piece{};
  for (;;) {
    const ssize_t got = ::recv(socket.number, piece.data(), piece.size(), 0);
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
