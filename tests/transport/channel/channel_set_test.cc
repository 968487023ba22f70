// Channels from end to end, over real sockets.
#include "transport/channel/channel_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/transport/channel/channel_fixture.h"

namespace mallard::transport {
namespace {

using testing::HasSubstr;

class ChannelSetTest : public ChannelTest {
 protected:
  [[nodiscard]] static std::string error_of(const Node& node) {
    return std::string(node.channels->status(0).last_error);
  }
  bool errors_at_both() {
    return run_until([&] { return !error_of(dialer_).empty() && !error_of(listener_).empty(); });
  }
};

TEST_F(ChannelSetTest, carries_frames_both_ways) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  EXPECT_EQ(dialer_.observer.ups[0], std::pair(listener_.settings.self, Incarnation(1)));
  const auto head = bytes_of(60, 3);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{8192}, std::size_t{8193},
        body_piece_bytes, body_piece_bytes + 1, frame_body_bytes_max}) {
    ASSERT_TRUE(dialer_.send(listener_.settings.self, head, dialer_.body(size, 9)));
    ASSERT_TRUE(listener_.send(dialer_.settings.self, head, listener_.body(size, 11), Lane::control));
  }
  ASSERT_TRUE(run_until([&] { return dialer_.observer.frames == 8 && listener_.observer.frames == 8; }));
  for (Node* const node : {&dialer_, &listener_}) {
    std::vector<std::size_t> sizes;
    for (const auto& frame : node->observer.received) {
      EXPECT_EQ(frame.head, head);
      EXPECT_EQ(frame.body, bytes_of(frame.body.size(), node == &dialer_ ? 11 : 9));
      sizes.push_back(frame.body.size());
    }
    std::sort(sizes.begin(), sizes.end());
    EXPECT_EQ(sizes.back(), frame_body_bytes_max);
    EXPECT_EQ(node->pool.free_bytes(), node->pool.capacity());
  }
}

TEST_F(ChannelSetTest, counts_what_passes) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  ASSERT_TRUE(dialer_.send(listener_.settings.self, bytes_of(10, 0), dialer_.body(200'000)));
  ASSERT_TRUE(run_until([&] { return listener_.observer.frames == 1; }));
  const PeerCounters& out = dialer_.channels->counters(0);
  const PeerCounters& in = listener_.channels->counters(0);
  EXPECT_EQ(out.frames_out, 1U);
  EXPECT_EQ(out.frame_bytes_out, 200'016U);
  EXPECT_EQ(in.frames_in, 1U);
  EXPECT_EQ(in.frame_bytes_in, 200'016U);
  EXPECT_EQ(out.wire_bytes_out, in.wire_bytes_in);
  EXPECT_GT(out.wire_bytes_out, 200'016U);
  EXPECT_LT(out.wire_bytes_out, 203'000U) << "TLS and framing cost less than 1.5 %";
  EXPECT_EQ(out.channels_opened, 1U);
  EXPECT_EQ(dialer_.channels->status(0).wire_version, 1);
}

TEST_F(ChannelSetTest, names_a_wrong_key_at_both_ends) {
  listener_.settings.peers = {dialer_.identity()};
  listener_.open();
  dialer_.settings.peers = {listener_.identity()};
  dialer_.settings.peers[0].key = crypto::KeyPair::generate().public_key();
  dialer_.open();
  ASSERT_TRUE(run_until([&] { return !error_of(dialer_).empty(); }));
  EXPECT_THAT(error_of(dialer_), HasSubstr("compare keys.gateway"));
  EXPECT_FALSE(dialer_.channels->status(0).up);
}

TEST_F(ChannelSetTest, lets_no_unknown_key_in) {
  Node stranger(address_of(0, 1), io_);
  listener_.settings.peers = {dialer_.identity()};
  listener_.open();
  stranger.settings.peers = {listener_.identity()};
  stranger.open();
  ASSERT_TRUE(run_until([&] { return listener_.channels->accept_counters().unknown_keys > 0; }));
  ASSERT_TRUE(run_until([&] { return !error_of(stranger).empty(); }));
  EXPECT_THAT(error_of(stranger), HasSubstr("refused our gateway key"));
  EXPECT_TRUE(listener_.observer.ups.empty());
}

TEST_F(ChannelSetTest, names_a_different_configuration_at_both_ends) {
  dialer_.settings.configuration.bytes[3] = 1;
  open_pair();
  ASSERT_TRUE(errors_at_both());
  EXPECT_THAT(error_of(dialer_), HasSubstr("configuration digest differs: compare the YAML files"));
  EXPECT_THAT(error_of(listener_), HasSubstr("configuration digest differs: compare the YAML files"));
  EXPECT_GT(listener_.channels->accept_counters().hellos_refused, 0U);
  EXPECT_GT(dialer_.channels->counters(0).dials_failed, 0U);
}

TEST_F(ChannelSetTest, names_missing_common_versions_at_both_ends) {
  dialer_.settings.versions = {.min = 2, .max = 3};
  open_pair();
  ASSERT_TRUE(errors_at_both());
  EXPECT_THAT(error_of(dialer_), HasSubstr("no wire version"));
  EXPECT_THAT(error_of(listener_), HasSubstr("no wire version"));
}

TEST_F(ChannelSetTest, refuses_to_send_where_it_cannot) {
  open_pair();
  EXPECT_FALSE(dialer_.send(listener_.settings.self, bytes_of(1, 1), dialer_.body(10))) << "not up yet";
  EXPECT_EQ(dialer_.channels->counters(0).frames_refused, 1U);
  EXPECT_FALSE(dialer_.send(address_of(7, 7), bytes_of(1, 1), {})) << "no such peer";
  EXPECT_FALSE(dialer_.send(address_of(60'000, 7), bytes_of(1, 1), {})) << "no such cluster";
  EXPECT_FALSE(dialer_.send(dialer_.settings.self, bytes_of(1, 1), {})) << "itself";
  EXPECT_EQ(dialer_.pool.free_bytes(), dialer_.pool.capacity());
}

TEST_F(ChannelSetTest, closes_when_asked_and_comes_back_after_a_new_hello) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  listener_.channels->close(dialer_.settings.self, "the frame was \n nonsense");
  EXPECT_TRUE(listener_.observer.downs.empty()) << "the observer is told later, not from inside the call";
  EXPECT_FALSE(listener_.channels->status(0).up);
  EXPECT_FALSE(listener_.send(dialer_.settings.self, bytes_of(1, 1), {}));
  ASSERT_TRUE(
      run_until([&] { return listener_.observer.ups.size() == 2 && dialer_.observer.ups.size() == 2; }));
  EXPECT_EQ(listener_.observer.order, "udu");
  EXPECT_EQ(dialer_.observer.order, "udu");
  EXPECT_EQ(listener_.observer.downs[0].second, CloseReason::by_observer);
  EXPECT_EQ(dialer_.observer.downs[0].second, CloseReason::by_peer);
  EXPECT_EQ(error_of(listener_), "the frame was ? nonsense");
}

TEST_F(ChannelSetTest, comes_back_after_either_process_was_killed) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  listener_.kill();
  ASSERT_TRUE(run_until([&] { return dialer_.observer.order == "ud"; }));
  EXPECT_FALSE(dialer_.send(listener_.settings.self, bytes_of(1, 1), {}));
  listener_.settings.incarnation = Incarnation(2);
  listener_.open();
  ASSERT_TRUE(run_until([&] { return dialer_.observer.order == "udu"; }));
  EXPECT_EQ(dialer_.observer.ups[1].second, Incarnation(2));

  dialer_.kill();
  ASSERT_TRUE(run_until([&] { return listener_.observer.downs.size() == 1; }));
  dialer_.settings.incarnation = Incarnation(7);
  dialer_.open();
  ASSERT_TRUE(run_until([&] { return listener_.observer.ups.back().second == Incarnation(7); }));
  ASSERT_TRUE(run_until([&] { return dialer_.observer.order == "uduu"; }));
  ASSERT_TRUE(dialer_.send(listener_.settings.self, bytes_of(1, 1), {}));
  EXPECT_TRUE(run_until([&] { return listener_.observer.frames == 1; }));
}

TEST_F(ChannelSetTest, may_be_destroyed_while_the_loop_goes_on) {
  ASSERT_NO_FATAL_FAILURE(connect_pair());
  ASSERT_TRUE(dialer_.send(listener_.settings.self, bytes_of(1, 1), dialer_.body(1U << 20)));
  dialer_.kill();
  EXPECT_EQ(dialer_.pool.free_bytes(), dialer_.pool.capacity());
  ASSERT_TRUE(run_until([&] { return !listener_.observer.downs.empty(); }));
  listener_.kill();
  run_for(std::chrono::milliseconds(150));
  EXPECT_EQ(dialer_.observer.order, "u");
}

TEST_F(ChannelSetTest, connects_many_peers_to_each_other) {
  std::vector<std::unique_ptr<Node>> nodes;
  for (std::uint16_t i = 0; i < 5; ++i) {
    nodes.push_back(std::make_unique<Node>(address_of(static_cast<std::uint16_t>(i % 2), i), io_));
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const auto& a, const auto& b) { return a->settings.self > b->settings.self; });
  // The largest address first, so that every dialer knows its listeners' ports.
  for (const auto& node : nodes) {
    for (const auto& peer : nodes) {
      if (peer != node) {
        node->settings.peers.push_back(peer->identity());
      }
    }
    node->open();
  }
  ASSERT_TRUE(run_until([&] {
    return std::all_of(nodes.begin(), nodes.end(),
                       [](const auto& node) { return node->observer.ups.size() == 4; });
  }));
  for (const auto& from : nodes) {
    for (const auto& to : nodes) {
      if (to != from) {
        ASSERT_TRUE(from->send(to->settings.self, bytes_of(2, 1), from->body(1000)));
      }
    }
  }
  EXPECT_TRUE(run_until([&] {
    return std::all_of(nodes.begin(), nodes.end(),
                       [](const auto& node) { return node->observer.frames == 4; });
  }));
}

class ChannelSetProblem : public ChannelTest {
 protected:
  std::string problem() {
    const auto opened =
        ChannelSet::open(dialer_.settings, dialer_.key, {io_, dialer_.pool, dialer_.observer});
    return opened ? "none" : opened.error().what;
  }
};

TEST_F(ChannelSetProblem, says_why_it_cannot_open) {
  dialer_.settings.peers = {listener_.identity()};
  EXPECT_EQ(problem(), "none");
  dialer_.settings.peers.push_back(listener_.identity());
  EXPECT_THAT(problem(), HasSubstr("peer 1.0 has an address or a key that another one has"));
  dialer_.settings.peers.back().address = address_of(1, 1);
  EXPECT_THAT(problem(), HasSubstr("peer 1.1 has"));
  dialer_.settings.peers = {dialer_.identity()};
  EXPECT_THAT(problem(), HasSubstr("peer 0.1 has"));
  dialer_.settings.peers.clear();
  dialer_.settings.incarnation = Incarnation();
  EXPECT_THAT(problem(), HasSubstr("incarnation"));
  dialer_.settings.incarnation = Incarnation(1);
  dialer_.settings.versions = {.min = 3, .max = 2};
  EXPECT_THAT(problem(), HasSubstr("versions"));
  dialer_.settings.versions = {};
  dialer_.settings.limits.control.head_bytes = 100;
  EXPECT_THAT(problem(), HasSubstr("lane"));
  dialer_.settings.limits = {};
  dialer_.settings.listen_host = "not an address";
  EXPECT_THAT(problem(), HasSubstr("cannot listen"));
}

TEST_F(ChannelSetProblem, names_a_port_that_is_taken) {
  listener_.open();
  dialer_.settings.listen_port = listener_.port;
  EXPECT_THAT(problem(), HasSubstr("port " + std::to_string(listener_.port) + ": Address already in use"));
}

}  // namespace
}  // namespace mallard::transport
