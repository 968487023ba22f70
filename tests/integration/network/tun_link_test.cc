// The line itself: a test over a line that does not do what it says would prove nothing.
#include "tests/integration/network/tun_link.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/deployment/waiting.h"

namespace mallard::integration {
namespace {

constexpr std::uint16_t port = 9000;
constexpr const char* left_host = "10.202.0.1";
constexpr const char* right_host = "10.202.0.2";

sockaddr_in address_of(const char* host) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) {
  const void* bytes = &address;
  return static_cast<const sockaddr*>(bytes);
}

class LineTest : public ::testing::Test {
 protected:
  void join(const Impairment& impairment) {
    line_.emplace(left_, right_, impairment, 1);
    left_.run({"ip", "address", "add", std::string(left_host) + "/24", "dev", TunLink::device});
    right_.run({"ip", "address", "add", std::string(right_host) + "/24", "dev", TunLink::device});
  }
  static FileDescriptor open_socket(const NetworkNamespace& space, int type) {
    FileDescriptor socket;
    space.visit([&] { socket = FileDescriptor(::socket(AF_INET, type | SOCK_CLOEXEC, 0)); });
    return socket;
  }

  NetworkNamespace left_ = std::move(*NetworkNamespace::create());
  NetworkNamespace right_ = std::move(*NetworkNamespace::create());
  std::optional<TunLink> line_;
};

TEST_F(LineTest, DelaysEachWay) {
  join({.delay = Duration::milliseconds(10)});
  const FileDescriptor listener = open_socket(right_, SOCK_STREAM);
  const sockaddr_in there = address_of(right_host);
  ASSERT_EQ(::bind(listener.number(), generic(there), sizeof there), 0);
  ASSERT_EQ(::listen(listener.number(), 1), 0);
  const FileDescriptor dialer = open_socket(left_, SOCK_STREAM);
  const Instant start = clock_now();
  ASSERT_EQ(::connect(dialer.number(), generic(there), sizeof there), 0);
  const Duration took = clock_now() - start;
  EXPECT_GE(took, Duration::milliseconds(20));
  EXPECT_LT(took, Duration::milliseconds(500));
}

// Numbers of the datagrams that arrive, in their order, of `count` that were sent.
std::vector<std::uint32_t> send_datagrams(const FileDescriptor& from, const FileDescriptor& to,
                                          std::uint32_t count) {
  const sockaddr_in there = address_of(right_host);
  std::vector<std::uint32_t> arrived;
  const auto receive = [&](int wait_ms) {
    pollfd source{to.number(), POLLIN, 0};
    while (::poll(&source, 1, wait_ms) == 1) {
      std::uint32_t number = 0;
      if (::recv(to.number(), &number, sizeof number, 0) == sizeof number) arrived.push_back(number);
    }
  };
  constexpr int buffer_bytes = 16 << 20;
  EXPECT_EQ(::setsockopt(to.number(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes), 0);
  EXPECT_EQ(::bind(to.number(), generic(there), sizeof there), 0);
  for (std::uint32_t i = 0; i < count; ++i) {
    EXPECT_EQ(::sendto(from.number(), &i, sizeof i, 0, generic(there), sizeof there),
              static_cast<ssize_t>(sizeof i));
    receive(0);
  }
  receive(200);
  return arrived;
}

TEST_F(LineTest, KeepsAllPacketsInOrderUnlessToldOtherwise) {
  join({.delay = Duration::milliseconds(1), .jitter = Duration::milliseconds(1)});
  const auto arrived = send_datagrams(open_socket(left_, SOCK_DGRAM), open_socket(right_, SOCK_DGRAM), 2000);
  EXPECT_EQ(arrived.size(), 2000U);
  EXPECT_TRUE(std::is_sorted(arrived.begin(), arrived.end()));
  EXPECT_EQ(line_->counters().lost, 0U);
}

TEST_F(LineTest, LosesDuplicatesAndReordersAsOftenAsItSays) {
  join({.delay = Duration::milliseconds(1),
        .loss_ppm = 50'000,
        .duplicate_ppm = 20'000,
        .reorder_ppm = 50'000});
  const auto arrived = send_datagrams(open_socket(left_, SOCK_DGRAM), open_socket(right_, SOCK_DGRAM), 4000);
  const TunLink::Counters& counters = line_->counters();
  EXPECT_EQ(counters.packets, 4000U);
  EXPECT_EQ(arrived.size(), 4000U - counters.lost + counters.duplicated);
  EXPECT_FALSE(std::is_sorted(arrived.begin(), arrived.end()));
  EXPECT_NEAR(static_cast<double>(counters.lost), 200, 60);
  EXPECT_NEAR(static_cast<double>(counters.duplicated), 80, 40);
  EXPECT_NEAR(static_cast<double>(counters.reordered), 200, 60);
}

}  // namespace
}  // namespace mallard::integration
