// Who wins when a replica is there twice.
#include "transport/channel/peer_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transport/channel/channel_fixture.h"
#include "tests/transport/channel/raw_peer.h"

namespace mallard::transport {
namespace {

using testing::HasSubstr;

class PeerTableTest : public ChannelTest {
 protected:
  // A second process that has the dialer's identity.
  RawPeer& dial_as_dialer(Incarnation incarnation) {
    Hello hello;
    hello.from = dialer_.settings.self;
    hello.incarnation = incarnation;
    hello.configuration = listener_.settings.configuration;
    return *raw_.emplace_back(
        std::make_unique<RawPeer>(listener_.port, dialer_.key, listener_.identity(), hello));
  }
  void open_listener() {
    listener_.settings.peers = {dialer_.identity()};
    listener_.open();
  }

  std::vector<std::unique_ptr<RawPeer>> raw_;
};

TEST_F(PeerTableTest, a_newer_life_replaces_an_older_one) {
  open_listener();
  RawPeer& first = dial_as_dialer(Incarnation(5));
  ASSERT_TRUE(run_until([&] { return first.advance() && listener_.observer.order == "u"; }));
  RawPeer& second = dial_as_dialer(Incarnation(6));
  ASSERT_TRUE(run_until([&] { return second.advance() && listener_.observer.order == "udu"; }));
  EXPECT_EQ(listener_.observer.downs[0].second, CloseReason::replaced);
  EXPECT_EQ(listener_.observer.ups[1].second, Incarnation(6));
  EXPECT_TRUE(run_until([&] { return first.look() != TlsStream::Progress::wants_read; }));
  EXPECT_EQ(second.look(), TlsStream::Progress::wants_read) << "the newer one stays";
}

TEST_F(PeerTableTest, a_newer_connection_of_the_same_life_replaces_the_older_one) {
  open_listener();
  RawPeer& first = dial_as_dialer(Incarnation(5));
  ASSERT_TRUE(run_until([&] { return first.advance() && listener_.observer.order == "u"; }));
  RawPeer& second = dial_as_dialer(Incarnation(5));
  ASSERT_TRUE(run_until([&] { return second.advance() && listener_.observer.order == "udu"; }));
  EXPECT_TRUE(run_until([&] { return first.look() != TlsStream::Progress::wants_read; }));
}

TEST_F(PeerTableTest, an_older_life_is_turned_away_while_a_newer_one_is_there) {
  open_listener();
  RawPeer& first = dial_as_dialer(Incarnation(5));
  ASSERT_TRUE(run_until([&] { return first.advance() && listener_.observer.order == "u"; }));
  RawPeer& older = dial_as_dialer(Incarnation(4));
  ASSERT_TRUE(run_until([&] { return older.advance() && older.look() != TlsStream::Progress::wants_read; }));
  EXPECT_EQ(listener_.observer.order, "u");
  EXPECT_TRUE(listener_.channels->status(0).up);
  EXPECT_EQ(listener_.channels->accept_counters().hellos_refused, 1U);
  EXPECT_THAT(listener_.channels->status(0).last_error, HasSubstr("a newer life"));
}

TEST_F(PeerTableTest, an_older_life_is_welcome_when_nobody_is_there) {
  open_listener();
  RawPeer& first = dial_as_dialer(Incarnation(5));
  ASSERT_TRUE(run_until([&] { return first.advance() && listener_.observer.order == "u"; }));
  first.hang_up();
  ASSERT_TRUE(run_until([&] { return listener_.observer.order == "ud"; }));
  RawPeer& older = dial_as_dialer(Incarnation(4));
  EXPECT_TRUE(run_until([&] { return older.advance() && listener_.observer.order == "udu"; }))
      << "a clock that was set back must not lock a replica out";
}

TEST_F(PeerTableTest, the_observer_may_call_back_from_every_call) {
  listener_.observer.on_received = [&] {
    EXPECT_TRUE(listener_.send(dialer_.settings.self, bytes_of(3, 1), listener_.body(10)));
    listener_.channels->flush();
    listener_.channels->close(dialer_.settings.self, "enough");
    listener_.channels->close(dialer_.settings.self, "enough");
    listener_.channels->resume_reads();
  };
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(dialer_.send(listener_.settings.self, bytes_of(3, 1), dialer_.body(10)));
  }
  ASSERT_TRUE(run_until([&] { return listener_.observer.order.starts_with("ufdu"); }));
  EXPECT_EQ(listener_.observer.frames, 1U) << "nothing comes after close()";
  EXPECT_TRUE(run_until([&] { return dialer_.observer.order.starts_with("ufdu"); }))
      << dialer_.observer.order;
}

}  // namespace
}  // namespace mallard::transport
