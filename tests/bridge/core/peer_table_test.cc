#include "bridge/core/peer_table.h"

#include <gtest/gtest.h>

#include <string_view>

namespace mallard::bridge {
namespace {

constexpr ClusterIndex east{0};
constexpr ClusterIndex west{1};
constexpr ClusterIndex south{2};

// East sends to west; south has no link with either.
BridgeSettings settings_of(ReplicaAddress self) {
  BridgeSettings settings;
  settings.self = self;
  for (std::uint16_t c = 0; c < 3; ++c) {
    ClusterView view{.cluster = ClusterIndex(c)};
    for (int i = 0; i < 3 + c; ++i) {
      view.weights.push_back(1);
    }
    settings.clusters.push_back(view);
  }
  settings.links.push_back({.link = LinkIndex(0), .from = east, .to = west});
  return settings;
}

Instant at_us(std::int64_t us) { return Instant{us * 1000}; }

Peer open_peer() { return Peer{.address = {west, ReplicaIndex(1)}, .up = true}; }

TEST(PeerTable, peers_are_all_of_both_clusters_but_self) {
  PeerTable peers(settings_of({east, ReplicaIndex(1)}));
  EXPECT_EQ(peers.all().size(), 2U + 4U);
  EXPECT_EQ(peers.of(east).size(), 2U);
  EXPECT_EQ(peers.of(west).size(), 4U);
  EXPECT_TRUE(peers.of(south).empty());
  EXPECT_TRUE(peers.of(ClusterIndex(9)).empty());
  EXPECT_EQ(peers.find({east, ReplicaIndex(1)}), nullptr);
  EXPECT_EQ(peers.find({west, ReplicaIndex(4)}), nullptr);
  EXPECT_EQ(peers.find({south, ReplicaIndex(0)}), nullptr);
  for (Peer& peer : peers.all()) {
    EXPECT_EQ(peers.find(peer.address), &peer);
    EXPECT_FALSE(peers.is_up(peer.address));
    peer.up = true;
    EXPECT_TRUE(peers.is_up(peer.address));
  }
}

TEST(PeerTable, peers_of_a_cluster_come_in_the_order_of_the_rotation) {
  const PeerTable peers(settings_of({west, ReplicaIndex(2)}));
  std::vector<std::uint16_t> order;
  for (const Peer& peer : peers.of(west)) {
    order.push_back(peer.address.replica.value);
  }
  EXPECT_EQ(order, (std::vector<std::uint16_t>{0, 1, 3}));
}

TEST(PeerTable, owing_concerns_the_named_clusters) {
  PeerTable peers(settings_of({east, ReplicaIndex(0)}));
  peers.owe_ack(west, south);
  for (const Peer& peer : peers.all()) {
    EXPECT_EQ(peer.owes_ack, peer.address.cluster == west);
  }
}

TEST(PeerTable, stamps_start_at_one_and_never_look_newer_than_they_are) {
  EXPECT_EQ(stamp_at(Instant{}), Stamp(1));
  for (const std::int64_t ns : {0LL, 1LL, 999LL, 1000LL, 1001LL, 123'456'789'012LL}) {
    const Instant now{ns};
    EXPECT_LE(issued_at(stamp_at(now)), now);
    EXPECT_LT(now - issued_at(stamp_at(now)), Duration::microseconds(1));
  }
}

TEST(PeerTable, an_issued_frame_echoes_what_wanted_an_answer_and_says_how_long_it_was_held) {
  Peer peer = open_peer();
  const SendFrame silent = issue_frame(peer, at_us(10));
  EXPECT_EQ(silent.to, peer.address);
  EXPECT_EQ(silent.stamp, Stamp(11));
  EXPECT_EQ(silent.echo, Stamp());
  bool overtaken = false;
  EXPECT_EQ(book_frame(peer, {{.stamp = Stamp(500), .wants_ack = true}}, at_us(20), overtaken), nullptr);
  EXPECT_EQ(book_frame(peer, {{.stamp = Stamp(600)}}, at_us(30), overtaken), nullptr);
  const SendFrame frame = issue_frame(peer, at_us(50));
  EXPECT_EQ(frame.echo, Stamp(500));
  EXPECT_EQ(frame.echo_delay_us, 30U);
  EXPECT_EQ(peer.last_sent, at_us(50));
  EXPECT_EQ(peer.counters.frames_out, 2U);
}

TEST(PeerTable, a_long_hold_saturates) {
  Peer peer = open_peer();
  bool overtaken = false;
  EXPECT_EQ(book_frame(peer, {{.stamp = Stamp(1), .wants_ack = true}}, at_us(0), overtaken), nullptr);
  EXPECT_EQ(issue_frame(peer, Instant{} + Duration::seconds(5'000)).echo_delay_us, UINT32_MAX);
}

TEST(PeerTable, an_echo_of_what_was_never_issued_is_a_violation) {
  Peer peer = open_peer();
  bool overtaken = false;
  EXPECT_NE(book_frame(peer, {{.stamp = Stamp(1), .echo = Stamp(1)}}, at_us(1), overtaken), nullptr);
  static_cast<void>(issue_frame(peer, at_us(10)));
  EXPECT_EQ(book_frame(peer, {{.stamp = Stamp(2), .echo = Stamp(11)}}, at_us(20), overtaken), nullptr);
  EXPECT_NE(book_frame(peer, {{.stamp = Stamp(3), .echo = Stamp(12)}}, at_us(20), overtaken), nullptr);
}

// A frame with a report.
Frame report_at(std::uint64_t stamp) {
  Frame frame{{.stamp = Stamp(stamp)}};
  frame.acks.push_back({.prefix = BatchNumber(stamp)});
  return frame;
}

TEST(PeerTable, a_report_that_a_newer_one_overtook_is_told_so) {
  Peer peer = open_peer();
  bool overtaken = true;
  EXPECT_EQ(book_frame(peer, report_at(5), at_us(1), overtaken), nullptr);
  EXPECT_FALSE(overtaken);
  EXPECT_EQ(book_frame(peer, report_at(4), at_us(2), overtaken), nullptr);
  EXPECT_TRUE(overtaken);
  EXPECT_EQ(peer.heard, Stamp(5));
  EXPECT_EQ(book_frame(peer, report_at(5), at_us(3), overtaken), nullptr);
  EXPECT_FALSE(overtaken);
  EXPECT_EQ(peer.counters.stale_frames, 1U);
  EXPECT_EQ(peer.counters.frames_in, 3U);
}

// Lanes overtake each other: a probe says nothing about what its sender has.
TEST(PeerTable, only_a_report_overtakes_a_report) {
  Peer peer = open_peer();
  bool overtaken = true;
  EXPECT_EQ(book_frame(peer, {{.stamp = Stamp(9)}}, at_us(1), overtaken), nullptr);
  EXPECT_EQ(book_frame(peer, report_at(4), at_us(2), overtaken), nullptr);
  EXPECT_FALSE(overtaken);
  EXPECT_EQ(peer.heard, Stamp(9));
  EXPECT_EQ(peer.counters.stale_frames, 0U);
}

TEST(PeerTable, an_echo_from_before_this_session_is_no_round_trip) {
  Peer peer = open_peer();
  bool overtaken = false;
  static_cast<void>(issue_frame(peer, at_us(5'000)));
  EXPECT_EQ(book_frame(peer, {{.stamp = Stamp(1), .echo = Stamp(4'000)}}, at_us(6'000), overtaken), nullptr);
  EXPECT_FALSE(peer.round_trip.known());
  EXPECT_EQ(book_frame(peer, {{.stamp = Stamp(2), .echo = Stamp(5'001)}}, at_us(6'000), overtaken), nullptr);
  EXPECT_EQ(peer.round_trip.smoothed(), Duration::milliseconds(1));
}

TEST(PeerTable, delays_are_what_replicas_of_weight_r_plus_1_back) {
  const BridgeSettings settings = settings_of({east, ReplicaIndex(0)});
  PeerTable peers(settings);
  ClusterView view = settings.clusters[west.value];  // four replicas
  EXPECT_EQ(peers.delays(view).timeout, Duration{});
  std::int64_t ms = 0;
  for (Peer& peer : peers.of(west)) {
    peer.up = true;
    peer.round_trip.add(Duration::milliseconds(ms += 10));
  }
  // Without liars the slowest counts. With r = 1 it may be one that lies.
  EXPECT_EQ(peers.delays(view).round_trip, Duration::milliseconds(40));
  EXPECT_EQ(peers.delays(view).timeout, Duration::milliseconds(2 * 40 + 4 * 20));
  view.r = 1;
  EXPECT_EQ(peers.delays(view).round_trip, Duration::milliseconds(30));
  // Replicas without a channel delay nobody, and what was measured before is not theirs to stretch.
  peers.of(west)[3].up = false;
  EXPECT_EQ(peers.delays(view).round_trip, Duration::milliseconds(20));
}

TEST(PeerTable, the_round_trip_leaves_out_the_time_that_the_peer_held_the_stamp) {
  Peer peer = open_peer();
  bool overtaken = false;
  static_cast<void>(issue_frame(peer, at_us(1'000)));
  const Frame answer{{.stamp = Stamp(1), .echo = Stamp(1'001), .echo_delay_us = 300}};
  EXPECT_EQ(book_frame(peer, answer, at_us(1'500), overtaken), nullptr);
  EXPECT_EQ(peer.round_trip.smoothed(), Duration::microseconds(200));
  // The same echo again is no new sample.
  EXPECT_EQ(book_frame(peer, {{.stamp = Stamp(2), .echo = Stamp(1'001)}}, at_us(9'000), overtaken), nullptr);
  EXPECT_EQ(peer.round_trip.smoothed(), Duration::microseconds(200));
}

TEST(PeerTable, a_lie_about_the_hold_makes_no_negative_round_trip) {
  Peer peer = open_peer();
  bool overtaken = false;
  static_cast<void>(issue_frame(peer, at_us(1'000)));
  const Frame answer{{.stamp = Stamp(1), .echo = Stamp(1'001), .echo_delay_us = UINT32_MAX}};
  EXPECT_EQ(book_frame(peer, answer, at_us(1'500), overtaken), nullptr);
  EXPECT_EQ(peer.round_trip.smoothed(), Duration{});
}

TEST(PeerTableDeathTest, issuing_to_a_closed_channel_is_our_bug) {
  Peer peer{.address = {west, ReplicaIndex(1)}};
  EXPECT_DEATH(static_cast<void>(issue_frame(peer, at_us(1))), "peer.up");
}

}  // namespace
}  // namespace mallard::bridge
