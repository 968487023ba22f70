#include "transport/channel/dialer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "tests/transport/channel/channel_fixture.h"
#include "transport/channel/loop_clock.h"

namespace mallard::transport {
namespace {

using testing::HasSubstr;

// A port on which something listens that never says a word.
class MutePort {
 public:
  MutePort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
        ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      std::abort();
    }
    number_ = ntohs(address.sin_port);
  }
  MutePort(const MutePort&) = delete;
  MutePort& operator=(const MutePort&) = delete;
  ~MutePort() { ::close(socket_); }
  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  int socket_;
  std::uint16_t number_ = 0;
};

class DialerTest : public ChannelTest {
 protected:
  void dial(const std::string& host, std::uint16_t port) {
    PeerIdentity peer = listener_.identity();
    peer.host = host;
    peer.port = port;
    dialer_.settings.peers = {peer};
    dialer_.open();
  }
  [[nodiscard]] std::string error() const { return std::string(dialer_.channels->status(0).last_error); }
  [[nodiscard]] const PeerCounters& counters() const { return dialer_.channels->counters(0); }
};

TEST_F(DialerTest, dials_again_and_again_with_longer_pauses) {
  std::uint16_t closed_port = 0;
  { closed_port = MutePort().number(); }
  dial("127.0.0.1", closed_port);
  ASSERT_TRUE(run_until([&] { return counters().dials_failed >= 1; }));
  EXPECT_EQ(error(), "127.0.0.1:" + std::to_string(closed_port) + ": Connection refused");
  // The pauses are at least 25, 50, 100 and 200 ms.
  const Instant first_failure = loop_now();
  ASSERT_TRUE(run_until([&] { return counters().dials_failed >= 5; }));
  EXPECT_GE(loop_now() - first_failure, Duration::milliseconds(350));
}

TEST_F(DialerTest, connects_soon_after_the_peer_is_there) {
  listener_.settings.peers = {dialer_.identity()};
  listener_.open();
  listener_.kill();
  dial("127.0.0.1", listener_.port);
  ASSERT_TRUE(run_until([&] { return counters().dials_failed >= 2; }));
  listener_.open();
  EXPECT_TRUE(run_until([&] { return !dialer_.observer.ups.empty(); }));
}

TEST_F(DialerTest, looks_names_up_and_tries_all_their_addresses_in_turn) {
  listener_.settings.peers = {dialer_.identity()};
  listener_.open();
  // The name stands for ::1 first on most machines, where nobody listens.
  dial("localhost", listener_.port);
  EXPECT_TRUE(run_until([&] { return !dialer_.observer.ups.empty(); })) << error();
}

TEST_F(DialerTest, says_that_a_name_is_not_known) {
  dial(std::string(300, 'a'), 7800);
  ASSERT_TRUE(run_until([&] { return counters().dials_failed >= 1; }));
  EXPECT_THAT(dialer_.channels->status(0).last_error, testing::StartsWith("aaaa"));
  EXPECT_LE(error().size(), 128U) << "what is shown is bounded";
}

TEST_F(DialerTest, gives_up_on_who_does_not_shake_hands) {
  const MutePort mute;
  dialer_.settings.limits.handshake_deadline = Duration::milliseconds(150);
  dial("127.0.0.1", mute.number());
  ASSERT_TRUE(run_until([&] { return counters().dials_failed >= 2; }));
  EXPECT_THAT(error(), HasSubstr("connected, but no handshake in time"));
}

}  // namespace
}  // namespace mallard::transport
