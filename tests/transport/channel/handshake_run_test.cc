#include "transport/channel/handshake_run.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "tests/transport/channel/tls_pair.h"

namespace mallard::transport {
namespace {

using Outcome = HandshakeRun::Outcome;

class HandshakeRunTest : public testing::Test {
 protected:
  HandshakeRunTest() {
    asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
    near_.connect(acceptor.local_endpoint());
    acceptor.accept(far_);
    near_.non_blocking(true);
    far_.non_blocking(true);
  }
  std::shared_ptr<HandshakeRun> run_on(Socket socket, TlsStream::Role role) {
    const bool dials = role == TlsStream::Role::dialer;
    Hello hello{.from = dials ? ReplicaAddress{} : there_[0], .incarnation = Incarnation(1)};
    TlsStream stream(dials ? pair_.dialer_context : pair_.listener_context, socket.native_handle(), role,
                     dials ? pair_.dialer_allows : pair_.listener_allows);
    return std::make_shared<HandshakeRun>(
        std::move(socket), Handshake(std::move(stream), hello, dials ? there_ : here_), 16U << 10);
  }
  void run_loop() { io_.run_for(std::chrono::seconds(10)); }

  asio::io_context io_;
  Socket near_{io_.get_executor()};
  Socket far_{io_.get_executor()};
  TlsPair pair_;
  std::vector<ReplicaAddress> here_{{}};
  std::vector<ReplicaAddress> there_{{ClusterIndex(1), ReplicaIndex(2)}};
  std::vector<Outcome> outcomes_;
};

TEST_F(HandshakeRunTest, finishes_both_ends_once) {
  for (const auto& run : {run_on(std::move(near_), TlsStream::Role::dialer),
                          run_on(std::move(far_), TlsStream::Role::listener)}) {
    run->start(Duration::seconds(5), [this](HandshakeRun& over, Outcome outcome) {
      outcomes_.push_back(outcome);
      EXPECT_TRUE(over.take_socket().is_open());
    });
  }
  run_loop();
  EXPECT_EQ(outcomes_, (std::vector{Outcome::done, Outcome::done}));
}

TEST_F(HandshakeRunTest, is_too_late_at_its_deadline) {
  const auto run = run_on(std::move(near_), TlsStream::Role::dialer);
  run->start(Duration::milliseconds(30),
             [this](HandshakeRun&, Outcome outcome) { outcomes_.push_back(outcome); });
  run_loop();
  EXPECT_EQ(outcomes_, std::vector{Outcome::too_late});
}

TEST_F(HandshakeRunTest, fails_when_the_peer_goes) {
  const auto run = run_on(std::move(near_), TlsStream::Role::dialer);
  run->start(Duration::seconds(5), [this](HandshakeRun&, Outcome outcome) { outcomes_.push_back(outcome); });
  far_.close();
  run_loop();
  EXPECT_EQ(outcomes_, std::vector{Outcome::failed});
}

TEST_F(HandshakeRunTest, says_nothing_after_it_was_cancelled) {
  const auto run = run_on(std::move(near_), TlsStream::Role::dialer);
  run->start(Duration::milliseconds(30),
             [this](HandshakeRun&, Outcome outcome) { outcomes_.push_back(outcome); });
  run->cancel();
  run_loop();
  EXPECT_TRUE(outcomes_.empty());
}

}  // namespace
}  // namespace mallard::transport
