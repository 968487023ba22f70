#include "transport/door/client_listener.h"

#include <gtest/gtest.h>

#include "tests/transport/door/network_door.h"

namespace mallard::transport::door {
namespace {

class ClientListenerTest : public NetworkDoorTest {
 protected:
  [[nodiscard]] const ClientListenerCounters& counted() const { return server->counters().listener; }
};

TEST_F(ClientListenerTest, lets_in_whose_key_it_knows_and_counts_the_others) {
  listen();
  const auto stranger_key = crypto::KeyPair::generate();
  RawClient stranger(server->clients_port(), stranger_key, replica_key.public_key());
  EXPECT_TRUE(run_until([&] { return stranger.is_done() && stranger.is_closed(); }));
  EXPECT_EQ(counted().unknown_keys, 1U);
  const auto known = enter(second);
  EXPECT_TRUE(run_until([&] { return counted().handshakes_done == 1; }));
  EXPECT_EQ(server->client_handshakes(), 0U);
}

TEST_F(ClientListenerTest, garbage_is_no_handshake) {
  listen();
  const FileDescriptor socket = connect_from("127.0.0.1", server->clients_port());
  const std::string garbage(300, 'g');
  EXPECT_TRUE(run_until([&] { return counted().accepted == 1; }));
  ASSERT_GT(::send(socket.number(), garbage.data(), garbage.size(), MSG_NOSIGNAL), 0);
  EXPECT_TRUE(run_until([&] { return is_closed(socket); }));
  EXPECT_EQ(counted().handshakes_failed, 1U);
}

TEST_F(ClientListenerTest, silence_ends_at_its_deadline) {
  settings_over_network.limits.listener.handshake_deadline = Duration::milliseconds(50);
  listen();
  const FileDescriptor silent = connect_from("127.0.0.1", server->clients_port());
  const FileDescriptor slow = connect_from("127.0.0.1", server->clients_port());
  const std::array<std::uint8_t, 5> client_hello_begins{0x16, 0x03, 0x01, 0x01, 0x00};
  ASSERT_TRUE(run_until([&] { return server->client_handshakes() == 2; }));
  ASSERT_GT(::send(slow.number(), client_hello_begins.data(), client_hello_begins.size(), MSG_NOSIGNAL), 0);
  EXPECT_TRUE(run_until([&] { return is_closed(silent) && is_closed(slow); }));
  EXPECT_EQ(counted().handshake_deadlines, 2U);
  EXPECT_EQ(server->client_handshakes(), 0U);
}

TEST_F(ClientListenerTest, the_oldest_makes_room_and_who_hurries_comes_in) {
  settings_over_network.limits.listener.handshakes = 4;
  listen();
  std::vector<FileDescriptor> silent;
  for (int i = 0; i < 4; ++i) {
    silent.push_back(connect_from("127.1.1.1", server->clients_port()));
  }
  ASSERT_TRUE(run_until([&] { return server->client_handshakes() == 4; }));
  const auto known = enter_and_greet(first);
  EXPECT_EQ(counted().evicted, 1U);
  EXPECT_TRUE(is_closed(silent[0]));
  EXPECT_FALSE(is_closed(silent[1]));
}

TEST_F(ClientListenerTest, a_neighbourhood_may_come_only_so_often) {
  settings_over_network.limits.listener.accepts_per_second_and_prefix = 8;
  listen();
  std::vector<FileDescriptor> many;
  for (int i = 0; i < 20; ++i) {
    many.push_back(connect_from("127.1.1.1", server->clients_port()));
  }
  EXPECT_TRUE(run_until([&] { return counted().accepted == 20; }));
  EXPECT_GE(counted().refused_by_rate, 10U);
  const auto known = enter_and_greet(first);
  EXPECT_EQ(replica.opened.size(), 1U) << "another neighbourhood";
}

TEST_F(ClientListenerTest, says_why_it_cannot_listen) {
  listen();
  ScratchDirectory other_directory;
  auto other = DoorServer::open({.path = door_path(other_directory.path()), .replica = {}, .incarnation = {}},
                                {io, server_pool, replica});
  ASSERT_TRUE(other.has_value());
  ClientDoorSettings taken = settings_over_network;
  taken.port = server->clients_port();
  const auto listening = (*other)->listen_for_clients(taken, replica_key);
  ASSERT_FALSE(listening.has_value());
  EXPECT_NE(listening.error().what.find("127.0.0.1"), std::string::npos);
  EXPECT_NE(listening.error().advice.find("ports"), std::string::npos);
}

}  // namespace
}  // namespace mallard::transport::door
