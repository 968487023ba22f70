#include "transport/channel/socket_options.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mallard::transport {
namespace {

class SocketOptions : public testing::Test {
 protected:
  ~SocketOptions() override { ::close(socket_); }
  [[nodiscard]] int value(int level, int option) const {
    int read = -1;
    socklen_t length = sizeof read;
    return ::getsockopt(socket_, level, option, &read, &length) == 0 ? read : -1;
  }

  int socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
};

TEST_F(SocketOptions, are_those_of_a_channel) {
  ASSERT_TRUE(prepare_socket(socket_));
  EXPECT_NE(::fcntl(socket_, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(value(IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(value(IPPROTO_TCP, TCP_USER_TIMEOUT), 10'000);
  EXPECT_EQ(value(IPPROTO_TCP, TCP_NOTSENT_LOWAT), unsent_bytes_max);
  EXPECT_NE(value(SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(value(IPPROTO_TCP, TCP_KEEPIDLE), 5);
}

TEST_F(SocketOptions, fail_on_what_is_no_socket) { EXPECT_FALSE(prepare_socket(-1)); }

TEST_F(SocketOptions, abandon_asks_for_a_reset) {
  abandon_on_close(socket_);
  linger read{};
  socklen_t length = sizeof read;
  ASSERT_EQ(::getsockopt(socket_, SOL_SOCKET, SO_LINGER, &read, &length), 0);
  EXPECT_EQ(read.l_onoff, 1);
  EXPECT_EQ(read.l_linger, 0);
}

}  // namespace
}  // namespace mallard::transport
