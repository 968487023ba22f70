// Connections of strangers: they cost little, for a short time, and hurt nobody else.
#include "transport/channel/listener.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "tests/transport/channel/channel_fixture.h"
#include "tests/transport/channel/raw_peer.h"

namespace mallard::transport {
namespace {

std::uint32_t neighbourhood(std::uint32_t number) { return 0x7f000001U + (number << 8U); }

class ListenerTest : public ChannelTest {
 protected:
  ~ListenerTest() override {
    for (const int stranger : strangers_) {
      ::close(stranger);
    }
  }
  [[nodiscard]] const AcceptCounters& counters() const { return listener_.channels->accept_counters(); }
  int connect(std::uint32_t source = INADDR_LOOPBACK) {
    const int stranger = connect_to(listener_.port, source);
    EXPECT_GE(stranger, 0);
    strangers_.push_back(stranger);
    return stranger;
  }
  static bool is_closed(int stranger) {
    char byte = 0;
    const ssize_t count = ::recv(stranger, &byte, 1, MSG_DONTWAIT);
    return count == 0 || (count < 0 && errno != EAGAIN);
  }

  std::vector<int> strangers_;
};

TEST_F(ListenerTest, ends_a_silent_connection_at_its_deadline) {
  listener_.settings.limits.handshake_deadline = Duration::milliseconds(150);
  listener_.open();
  const int silent = connect();
  const int half = connect();
  const std::string_view begun("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
  ASSERT_EQ(::send(half, begun.data(), begun.size(), 0), 11);
  ASSERT_TRUE(run_until([&] { return counters().handshake_deadlines == 2; }));
  EXPECT_TRUE(run_until([&] { return is_closed(silent) && is_closed(half); }));
}

TEST_F(ListenerTest, ends_at_once_what_is_not_tls) {
  listener_.open();
  const int browser = connect();
  const std::string_view request = "GET / HTTP/1.1\r\nHost: mallard\r\n\r\n";
  ASSERT_GT(::send(browser, request.data(), request.size(), 0), 0);
  ASSERT_TRUE(run_until([&] { return counters().handshakes_failed == 1; }));
  EXPECT_EQ(counters().handshake_deadlines, 0U);
}

TEST_F(ListenerTest, lets_only_so_many_in_per_second_and_neighbourhood) {
  listener_.open();
  for (int i = 0; i < 100; ++i) {
    connect();
  }
  ASSERT_TRUE(run_until([&] { return counters().accepted == 100; }));
  EXPECT_GE(counters().refused_by_rate, 30U);
  const std::uint64_t refused = counters().refused_by_rate;
  const int elsewhere = connect(neighbourhood(1));
  ASSERT_TRUE(run_until([&] { return counters().accepted == 101; }));
  EXPECT_EQ(counters().refused_by_rate, refused) << "another neighbourhood has its own rate";
  EXPECT_FALSE(is_closed(elsewhere));
}

TEST_F(ListenerTest, holds_only_so_many_that_have_proved_nothing) {
  listener_.settings.limits.pending_handshakes = 8;
  listener_.settings.limits.handshake_deadline = Duration::milliseconds(300);
  listener_.settings.peers = {dialer_.identity()};
  listener_.open();
  for (std::uint32_t i = 0; i < 20; ++i) {
    connect(neighbourhood(i));
  }
  ASSERT_TRUE(run_until([&] { return counters().accepted == 20; }));
  EXPECT_EQ(counters().refused_by_pending, 12U);
  dialer_.settings.peers = {listener_.identity()};
  dialer_.open();
  EXPECT_TRUE(run_until([&] { return !dialer_.observer.ups.empty(); })) << "places become free";
}

// Ten thousand strangers in several ways, while a channel works.
TEST_F(ListenerTest, ten_thousand_strangers_change_nothing_for_an_open_channel) {
  listener_.settings.limits.handshake_deadline = Duration::milliseconds(200);
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  dialer_.observer.record = listener_.observer.record = false;
  const std::size_t heap_before = mallinfo2().uordblks;
  std::size_t heap_peak = heap_before;
  std::size_t sent = 0;
  const std::vector<std::byte> garbage = bytes_of(500, 99);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const int stranger = connect(neighbourhood(i % 4096));
    if (i % 2 == 0) {
      static_cast<void>(::send(stranger, garbage.data(), garbage.size(), MSG_NOSIGNAL));
    }
    if (strangers_.size() > 100) {
      std::for_each(strangers_.begin(), strangers_.end(), ::close);
      strangers_.clear();
    }
    if (i % 10 == 0) {
      sent += dialer_.send(listener_.settings.self, garbage, dialer_.body(1000)) ? 1U : 0U;
      io_.restart();
      io_.poll();
      heap_peak = std::max(heap_peak, mallinfo2().uordblks);
    }
  }
  ASSERT_TRUE(run_until([&] { return counters().accepted >= 10'001 && listener_.observer.frames == sent; }));
  EXPECT_EQ(sent, 1000U);
  EXPECT_EQ(listener_.observer.downs.size(), 0U);
  EXPECT_EQ(dialer_.observer.downs.size(), 0U);
  EXPECT_GT(counters().refused_by_rate, 5000U);
  EXPECT_LE(heap_peak - heap_before, listener_.settings.limits.pending_handshakes * (64U << 10));
  run_for(std::chrono::milliseconds(400));
  EXPECT_LE(mallinfo2().uordblks, heap_before + (512U << 10)) << "nothing is left behind";
}

}  // namespace
}  // namespace mallard::transport
