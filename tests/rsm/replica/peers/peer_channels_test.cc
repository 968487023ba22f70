#include "rsm/replica/peers/peer_channels.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "crypto/key_pair.h"

namespace mallard::rsm {
namespace {

using transport::PeerIdentity;

// Two replicas on loopback sockets.
class PeerChannelsTest : public testing::Test {
 protected:
  struct Seat final : PeerObserver {
    void on_peer_up(memory::ProcessIndex peer) override { came.push_back(peer); }
    void on_peer_message(memory::ProcessIndex from, const PeerMessage& message) override {
      senders.push_back(from);
      if (const auto* wanted = std::get_if<SnapshotWanted>(&message)) {
        wanted_of.push_back(*wanted);
      }
      const ByteView body = pool.view(body_of(message));
      bodies.emplace_back(body.begin(), body.end());
      pool.release(body_of(message));
    }

    crypto::KeyPair key = crypto::KeyPair::generate();
    PayloadPool pool{PayloadPool::slot_bytes_max};
    std::vector<memory::ProcessIndex> came;
    std::vector<memory::ProcessIndex> senders;
    std::vector<SnapshotWanted> wanted_of;
    std::vector<std::vector<std::byte>> bodies;
    std::unique_ptr<PeerChannels> channels;
  };

  static ReplicaAddress address(std::uint16_t id) { return {ClusterIndex(3), ReplicaIndex(id)}; }
  static transport::ChannelSettings settings(std::uint16_t id) {
    transport::ChannelSettings settings;
    settings.self = address(id);
    settings.listen_host = "127.0.0.1";
    settings.incarnation = Incarnation(1);
    return settings;
  }
  // The second listens, the first dials it.
  void open() {
    transport::ChannelSettings listens = settings(1);
    listens.peers = {PeerIdentity{address(0), seats[0].key.public_key(), "127.0.0.1", 1}};
    open(1, listens);
    transport::ChannelSettings dials = settings(0);
    dials.peers = {PeerIdentity{address(1), seats[1].key.public_key(), "127.0.0.1",
                                seats[1].channels->channels().listening_port()}};
    open(0, dials);
    ASSERT_TRUE(run_until([&] {
      return seats[0].channels->channels().status(0).up && seats[1].channels->channels().status(0).up;
    }));
  }
  void open(std::size_t id, const transport::ChannelSettings& with) {
    auto opened = PeerChannels::open(with, seats[id].key, {io, seats[id].pool, seats[id]});
    ASSERT_TRUE(opened) << opened.error().what;
    seats[id].channels = std::move(*opened);
  }
  bool run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      io.run_one_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  asio::io_context io;
  std::array<Seat, 2> seats;
};

TEST_F(PeerChannelsTest, CarriesMessagesWithTheirBodies) {
  open();
  EXPECT_EQ(seats[0].came, std::vector{memory::ProcessIndex(1)});
  EXPECT_EQ(seats[1].came, std::vector{memory::ProcessIndex(0)});
  const SnapshotWanted wanted{.at_least = 640, .offset = 5};
  EXPECT_TRUE(seats[0].channels->send(memory::ProcessIndex(1), wanted));
  ASSERT_TRUE(run_until([&] { return !seats[1].senders.empty(); }));
  EXPECT_EQ(seats[1].senders[0], memory::ProcessIndex(0));
  ASSERT_EQ(seats[1].wanted_of.size(), 1U);
  EXPECT_EQ(seats[1].wanted_of[0], wanted);
  PayloadPool& pool = seats[1].pool;
  const PayloadRef body = *pool.allocate(snapshot_piece_bytes_max);
  std::fill(pool.span(body).begin(), pool.span(body).end(), std::byte{7});
  SnapshotPiece piece{.bytes = snapshot_piece_bytes_max, .body = body};
  piece.snapshot.bytes[0] = 1;
  EXPECT_TRUE(seats[1].channels->send(memory::ProcessIndex(0), piece));
  pool.release(body);
  ASSERT_TRUE(run_until([&] { return !seats[0].bodies.empty(); }));
  EXPECT_EQ(seats[0].bodies[0], std::vector<std::byte>(snapshot_piece_bytes_max, std::byte{7}));
  EXPECT_EQ(seats[0].pool.free_bytes(), seats[0].pool.capacity());
}

TEST_F(PeerChannelsTest, RefusesWhoIsNotThere) {
  open();
  EXPECT_FALSE(seats[0].channels->send(memory::ProcessIndex(2), SnapshotWanted{}));
}

// A piece without its bytes can be encoded, but is no message.
TEST_F(PeerChannelsTest, WhatIsNoMessageEndsTheChannel) {
  open();
  EXPECT_TRUE(seats[0].channels->send(memory::ProcessIndex(1), SnapshotPiece{.bytes = 10}));
  ASSERT_TRUE(run_until([&] { return seats[1].channels->messages_refused() == 1; }));
  ASSERT_TRUE(run_until([&] { return !seats[0].channels->channels().status(0).up; }));
  EXPECT_TRUE(seats[1].senders.empty());
}

}  // namespace
}  // namespace mallard::rsm
