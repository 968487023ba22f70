#include "transport/channel/handshake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/transport/channel/tls_pair.h"

namespace mallard::transport {
namespace {

using Progress = Handshake::Progress;
using Failure = Handshake::Failure;
using testing::HasSubstr;

class HandshakeTest : public testing::Test {
 protected:
  HandshakeTest() {
    dialer_hello_.from = {ClusterIndex(0), ReplicaIndex(1)};
    dialer_hello_.incarnation = Incarnation(5);
    listener_hello_.from = {ClusterIndex(1), ReplicaIndex(0)};
    listener_hello_.incarnation = Incarnation(9);
  }
  void run() {
    pair_.make();
    dialer_.emplace(std::move(*pair_.dialer), dialer_hello_, dialer_expects_);
    listener_.emplace(std::move(*pair_.listener), listener_hello_, listener_expects_);
    for (int i = 0; i < 20; ++i) {
      step(*dialer_, at_dialer_);
      step(*listener_, at_listener_);
    }
  }
  static void step(Handshake& handshake, Progress& progress) {
    if (progress == Progress::wants_read || progress == Progress::wants_write) {
      progress = handshake.advance(16U << 10);
    }
  }
  void expect_both_refuse(HelloRefusal refusal) {
    for (const Handshake* const end : {&*dialer_, &*listener_}) {
      EXPECT_EQ(end->failure(), Failure::hello);
      EXPECT_EQ(end->problem(), hello_refusal_text(refusal));
      EXPECT_TRUE(end->peer_is_proved());
    }
  }

  TlsPair pair_;
  Hello dialer_hello_;
  Hello listener_hello_;
  std::vector<ReplicaAddress> dialer_expects_{{ClusterIndex(1), ReplicaIndex(0)}};
  std::vector<ReplicaAddress> listener_expects_{{ClusterIndex(0), ReplicaIndex(1)}};
  std::optional<Handshake> dialer_;
  std::optional<Handshake> listener_;
  Progress at_dialer_ = Progress::wants_read;
  Progress at_listener_ = Progress::wants_read;
};

TEST_F(HandshakeTest, each_side_learns_who_the_other_is) {
  dialer_hello_.versions = {.min = 1, .max = 4};
  listener_hello_.versions = {.min = 2, .max = 3};
  run();
  ASSERT_EQ(at_dialer_, Progress::done);
  ASSERT_EQ(at_listener_, Progress::done);
  EXPECT_EQ(dialer_->peer(), listener_hello_.from);
  EXPECT_EQ(listener_->peer(), dialer_hello_.from);
  EXPECT_EQ(dialer_->theirs().incarnation, Incarnation(9));
  EXPECT_EQ(listener_->theirs().incarnation, Incarnation(5));
  EXPECT_EQ(dialer_->wire_version(), 3);
  EXPECT_EQ(listener_->wire_version(), 3);
}

TEST_F(HandshakeTest, both_sides_name_a_different_configuration) {
  dialer_hello_.configuration.bytes[7] = 1;
  run();
  expect_both_refuse(HelloRefusal::other_configuration);
  EXPECT_THAT(dialer_->problem(), HasSubstr("configuration digest differs: compare the YAML files"));
}

TEST_F(HandshakeTest, both_sides_name_versions_without_overlap) {
  dialer_hello_.versions = {.min = 3, .max = 4};
  listener_hello_.versions = {.min = 1, .max = 2};
  run();
  expect_both_refuse(HelloRefusal::no_common_version);
}

TEST_F(HandshakeTest, both_sides_name_a_wrong_plane) {
  dialer_hello_.plane = Plane::local;
  run();
  expect_both_refuse(HelloRefusal::other_plane);
}

TEST_F(HandshakeTest, a_key_is_good_for_its_own_address_only) {
  dialer_hello_.from = {ClusterIndex(0), ReplicaIndex(2)};
  run();
  EXPECT_EQ(at_listener_, Progress::failed);
  EXPECT_EQ(listener_->problem(), hello_refusal_text(HelloRefusal::wrong_identity));
  EXPECT_EQ(listener_->peer(), listener_expects_[0]) << "blamed on who owns the key";
}

TEST_F(HandshakeTest, an_unknown_key_is_told_apart) {
  pair_.listener_allows = {crypto::KeyPair::generate().public_key()};
  run();
  EXPECT_EQ(listener_->failure(), Failure::unknown_key);
  EXPECT_FALSE(listener_->peer_is_proved());
  EXPECT_EQ(at_dialer_, Progress::failed);
  EXPECT_THAT(dialer_->problem(), HasSubstr("the peer refused our gateway key"));
}

TEST_F(HandshakeTest, a_wrong_key_at_the_listener_is_told_apart) {
  pair_.dialer_allows = {crypto::KeyPair::generate().public_key()};
  run();
  EXPECT_EQ(dialer_->failure(), Failure::unknown_key);
  EXPECT_THAT(dialer_->problem(), HasSubstr("compare keys.gateway"));
}

// A peer with a good key that says something else than a hello.
class HelloBytes : public HandshakeTest {
 protected:
  void run_with(ByteView bytes) {
    pair_.make();
    TlsStream peer = std::move(*pair_.dialer);
    listener_.emplace(std::move(*pair_.listener), listener_hello_, listener_expects_);
    TlsStream::Progress at_peer = TlsStream::Progress::wants_read;
    for (int i = 0; i < 20; ++i) {
      if (at_peer == TlsStream::Progress::wants_read) {
        at_peer = peer.handshake(16U << 10);
        if (at_peer == TlsStream::Progress::done) {
          ASSERT_EQ(peer.write(bytes).bytes, bytes.size());
          ASSERT_EQ(peer.flush(), TlsStream::Progress::done);
        }
      }
      step(*listener_, at_listener_);
    }
  }
};

TEST_F(HelloBytes, garbage_is_refused) {
  run_with(std::vector<std::byte>(300, std::byte{'G'}));
  EXPECT_EQ(listener_->problem(), hello_refusal_text(HelloRefusal::not_a_hello));
}

TEST_F(HelloBytes, a_hello_that_was_recorded_elsewhere_is_refused) {
  dialer_hello_.binding.fill(3);
  std::vector<std::byte> bytes(hello_bytes);
  encode_hello(dialer_hello_, bytes);
  run_with(bytes);
  EXPECT_EQ(listener_->problem(), hello_refusal_text(HelloRefusal::wrong_binding));
}

TEST_F(HelloBytes, half_a_hello_is_waited_for) {
  std::vector<std::byte> bytes(hello_bytes);
  encode_hello(dialer_hello_, bytes);
  run_with(ByteView(bytes).first(50));
  EXPECT_EQ(at_listener_, Progress::wants_read);
}

}  // namespace
}  // namespace mallard::transport
