// Clients over the network, from both ends.
#include "transport/door/door_dialer.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/transport/door/network_door.h"

namespace mallard::transport::door {
namespace {

using DoorDialerTest = NetworkDoorTest;

TEST_F(DoorDialerTest, brings_a_client_in_with_the_number_of_its_key) {
  listen();
  open_remote(second);
  ASSERT_TRUE(run_until([&] { return caller.welcomes.size() == 1 && replica.opened.size() == 1; }))
      << (caller.failed.empty() ? "" : caller.failed[0]);
  EXPECT_EQ(replica.opened[0].second.client, 1U);
  EXPECT_EQ(replica.opened[0].second.role, Role::client);
  EXPECT_EQ(caller.welcomes[0].replica, settings.replica);
  EXPECT_EQ(server->client_connections(), 1U);
  EXPECT_EQ(server->connections(Role::client), 0U) << "that is who is on the machine";
  ASSERT_TRUE(submit(1, "question"));
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 1; }));
  EXPECT_EQ(text_of(server_pool, std::get<Submit>(replica.received[0].second).command), "question");
  ASSERT_TRUE(reply(replica.received[0].first, 1, "answer"));
  ASSERT_TRUE(run_until([&] { return caller.texts.size() == 1; }));
  EXPECT_EQ(caller.texts[0], "answer");
  replica.forget();
}

TEST_F(DoorDialerTest, carries_the_largest_bodies_both_ways_unharmed) {
  listen();
  replica.record = false;
  replica.answer = [&](DoorConnection from, const DoorMessage& message) {
    const auto& asked = std::get<Submit>(message);
    EXPECT_TRUE(server->send(from, Reply{.request = asked.request, .bytes = asked.command}));
    server_pool.release(asked.command);
  };
  open_remote(first);
  ASSERT_TRUE(run_until([&] { return caller.welcomes.size() == 1; }));
  std::string large(command_bytes_max, 'a');
  for (std::size_t i = 0; i < large.size(); ++i) {
    large[i] = static_cast<char>('a' + i % 23 + i / 4096 % 3);
  }
  for (std::uint64_t request = 1; request <= 20; ++request) {
    ASSERT_TRUE(run_until([&] { return submit(request, request % 4 == 0 ? large : "short"); }));
    ASSERT_TRUE(run_until([&] { return caller.texts.size() == request; }));
    EXPECT_EQ(caller.texts.back(), request % 4 == 0 ? large : "short");
  }
  EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity());
}

TEST_F(DoorDialerTest, says_that_the_replica_does_not_know_the_key) {
  listen();
  const auto stranger = crypto::KeyPair::generate();
  open_remote(stranger);
  ASSERT_TRUE(run_until([&] { return !caller.failed.empty(); }));
  EXPECT_NE(caller.failed[0].find("does not know our key"), std::string::npos) << caller.failed[0];
}

TEST_F(DoorDialerTest, does_not_talk_to_another_replica_than_it_means) {
  listen();
  replica_key = crypto::KeyPair::generate();
  open_remote(first);
  ASSERT_TRUE(run_until([&] { return !caller.failed.empty(); }));
  EXPECT_NE(caller.failed[0].find("not the replica"), std::string::npos) << caller.failed[0];
  EXPECT_TRUE(caller.welcomes.empty());
}

TEST_F(DoorDialerTest, tries_again_until_somebody_listens) {
  listen();
  const std::uint16_t port = server->clients_port();
  server.reset();
  client_settings.remote =
      RemoteDoor{.host = "127.0.0.1", .port = port, .replica = replica_key.public_key(), .key = &first};
  client = std::make_unique<DoorClient>(client_settings, DoorClient::Ports{io, client_pool, caller});
  ASSERT_TRUE(run_until([&] { return caller.failed.size() >= 2; }));
  settings_over_network.port = port;
  listen();
  EXPECT_TRUE(run_until([&] { return caller.welcomes.size() == 1; }));
}

TEST_F(DoorDialerTest, comes_as_a_client_and_as_nothing_else) {
  listen();
  for (const Role role : {Role::gateway, Role::operations}) {
    const auto raw = enter(first);
    ASSERT_TRUE(raw->say(Hello{.role = role}));
    EXPECT_TRUE(run_until([&] { return raw->is_closed(); }));
  }
  EXPECT_TRUE(run_until([&] { return ended(DoorEnd::no_place) == 2; }));
  const std::vector<DoorMessage> of_gateways{Attach{.incarnation = Incarnation(1), .epoch = Epoch(1)},
                                             Apply{.generation = Generation(1),
                                                   .source_epoch = Epoch(1),
                                                   .destination_epoch = Epoch(1),
                                                   .range = {BatchNumber(1), MessageNumber(1), 1},
                                                   .payload = {.slot = 1, .bytes = 16}},
                                             Quacked{.generation = Generation(1), .through = BatchNumber(1)}};
  for (const DoorMessage& message : of_gateways) {
    const auto raw = enter_and_greet(first);
    ASSERT_TRUE(raw->say(message));
    EXPECT_TRUE(run_until([&] { return raw->is_closed(); }));
  }
  EXPECT_TRUE(run_until([&] { return ended(DoorEnd::not_allowed) == of_gateways.size(); }));
  EXPECT_TRUE(replica.received.empty());
  EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity());
}

TEST_F(DoorDialerTest, what_is_no_message_or_too_large_ends_the_connection) {
  listen();
  const auto garbled = enter_and_greet(first);
  const std::vector<std::byte> garbage(40, std::byte{0xee});
  ASSERT_TRUE(garbled->say(garbage));
  const auto oversized = enter_and_greet(first);
  std::vector<std::byte> header(frame_header_bytes);
  ByteWriter writer(header);
  writer.write(static_cast<std::uint32_t>(command_bytes_max + 1));
  writer.write(static_cast<std::uint16_t>(10));
  ASSERT_TRUE(oversized->say(header));
  EXPECT_TRUE(run_until([&] { return garbled->is_closed() && oversized->is_closed(); }));
  EXPECT_TRUE(run_until([&] { return ended(DoorEnd::malformed) == 2; }));
}

TEST_F(DoorDialerTest, a_client_has_so_many_connections_and_the_other_one_is_let_in) {
  settings_over_network.limits.connections_per_client = 2;
  settings_over_network.limits.connections = 3;
  listen();
  auto one = enter_and_greet(first);
  const auto two = enter_and_greet(first);
  const auto third = enter(first);
  EXPECT_TRUE(run_until([&] { return third->is_closed(); }));
  EXPECT_EQ(server->counters().clients_refused_by_share, 1U);
  const auto other = enter_and_greet(second);
  const auto beyond = enter(second);
  EXPECT_TRUE(run_until([&] { return beyond->is_closed(); }));
  EXPECT_EQ(server->counters().clients_refused_by_places, 1U);
  one.reset();
  EXPECT_TRUE(run_until([&] { return server->client_connections() == 2; }));
  const auto again = enter_and_greet(first);
  EXPECT_EQ(server->client_connections(), 3U);
}

TEST_F(DoorDialerTest, bodies_that_do_not_go_on_keep_no_other_client_out) {
  settings_over_network.limits.body_bytes_per_client = 2U << 20;
  settings_over_network.limits.stream.frame_deadline = Duration::milliseconds(300);
  listen();
  const Submit large{.request = 1, .command = {.slot = 1, .bytes = 1U << 20}};
  std::vector<std::unique_ptr<RawClient>> stuck;
  for (int i = 0; i < 4; ++i) {
    stuck.push_back(enter_and_greet(first));
    ASSERT_TRUE(stuck.back()->say(large, 1000));
  }
  ASSERT_TRUE(run_until([&] { return server_pool.free_bytes() == server_pool.capacity() - (2U << 20); }));
  const auto other = enter_and_greet(second);
  ASSERT_TRUE(other->say(Submit{.request = 1, .command = {.slot = 1, .bytes = 1000}}));
  EXPECT_TRUE(run_until([&] { return replica.received.size() == 1; }));
  EXPECT_TRUE(run_until([&] { return ended(DoorEnd::frame_deadline) == 4; })) << "each in its turn";
  replica.forget();
  EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity());
}

// What the suite `hostile` does to real processes, in small.
TEST_F(DoorDialerTest, thousands_of_hostile_requests_are_counted_and_the_others_served) {
  constexpr std::uint64_t rounds = 120;
  constexpr std::uint64_t at_once = 16;
  constexpr std::size_t open_at_once = 300;
  settings_over_network.limits.listener.accepts_per_second = 100'000;
  listen();
  replica.record = false;
  std::uint64_t forbidden = 0;
  replica.answer = [&](DoorConnection from, const DoorMessage& message) {
    const auto& asked = std::get<Submit>(message);
    const bool good = text_of(server_pool, asked.command) == "good";
    forbidden += good ? 0 : 1;
    const auto status = good ? ReplyStatus::done : ReplyStatus::forbidden;
    EXPECT_TRUE(server->send(from, Reply{.request = asked.request, .status = status}));
    server_pool.release(asked.command);
  };
  open_remote(second);
  ASSERT_TRUE(run_until([&] { return caller.welcomes.size() == 1; }));
  const std::vector<std::byte> garbage(64, std::byte{0xee});
  const auto asker = enter_and_greet(first);
  std::deque<FileDescriptor> half_open;
  for (std::uint64_t round = 1; round <= rounds; ++round) {
    const std::string from = "127.1." + std::to_string(round) + ".1";
    for (std::uint64_t i = 1; i <= at_once; ++i) {
      ASSERT_TRUE(
          asker->say(Submit{.request = (round - 1) * at_once + i, .command = {.slot = 1, .bytes = 40}}));
      half_open.push_back(connect_from(from.c_str(), server->clients_port()));
      if (half_open.size() > open_at_once) half_open.pop_front();
    }
    const auto hostile = enter(first, from.c_str());
    ASSERT_TRUE(round % 2 == 0 ? hostile->say(garbage) : hostile->say(Hello{.role = Role::gateway}));
    ASSERT_TRUE(submit(round, "good"));
    ASSERT_TRUE(run_until([&] { return caller.replies.size() == round; }));
    EXPECT_FALSE(asker->is_closed()) << "it is refused, and may go on";
  }
  EXPECT_TRUE(run_until([&] { return forbidden == rounds * at_once; }));
  EXPECT_TRUE(run_until([&] { return ended(DoorEnd::malformed) + ended(DoorEnd::no_place) == rounds; }));
  EXPECT_TRUE(run_until([&] { return server->counters().listener.accepted == rounds * (at_once + 1) + 2; }));
  const auto turned_away = [&] {
    const ClientListenerCounters& counted = server->counters().listener;
    return counted.evicted + counted.handshakes_failed + counted.handshake_deadlines;
  };
  EXPECT_TRUE(run_until([&] { return turned_away() >= rounds * at_once - open_at_once; }));
  EXPECT_LE(server->client_handshakes(), settings_over_network.limits.listener.handshakes);
  EXPECT_EQ(caller.replies.back().second, ReplyStatus::done);
  EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity());
}

}  // namespace
}  // namespace mallard::transport::door
