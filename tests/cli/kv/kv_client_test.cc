// What a client learns of doors that do not open: at once, where waiting mends nothing.
#include "cli/kv/kv_client.h"

#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "tests/support/scratch_directory.h"
#include "tests/transport/door/network_door.h"

namespace mallard::cli {
namespace {

namespace door = transport::door;

class KvClientTest : public door::NetworkDoorTest {
 protected:
  [[nodiscard]] door::RemoteDoor remote(const crypto::KeyPair& key, std::uint16_t port) const {
    return {.host = "127.0.0.1", .port = port, .replica = replica_key.public_key(), .key = &key};
  }
  // Runs both sides until `done`; false after ten seconds.
  bool run_both_until(KvClient& kv, const std::function<bool()>& done) {
    return run_until([&] {
      kv.turn(transport::EventLoop::now() + Duration::milliseconds(1));
      return done();
    });
  }
  // A port where nobody listens.
  std::uint16_t closed_port() {
    const ScratchDirectory elsewhere;
    auto other = door::DoorServer::open(
        {.path = door::door_path(elsewhere.path()), .replica = {}, .incarnation = {}, .limits = {}},
        {io, server_pool, replica});
    door::ClientDoorSettings over_network;
    over_network.host = "127.0.0.1";
    over_network.clients = {first.public_key()};
    EXPECT_TRUE((*other)->listen_for_clients(over_network, replica_key).has_value());
    return (*other)->clients_port();
  }
  static ByteView command() { return std::as_bytes(std::span(text)); }

  static constexpr std::string_view text = "a command";
};

TEST_F(KvClientTest, LearnsAtOnceThatNobodyKnowsItsKey) {
  listen();
  const auto stranger = crypto::KeyPair::generate();
  const std::uint16_t dead = closed_port();
  // The last word of the door that nobody opens does not hide what the other one said.
  KvClient kv({remote(stranger, server->clients_port()), remote(stranger, dead)});
  EXPECT_FALSE(kv.is_shut_out()) << "nothing was tried";
  kv.ask(command(), Repeat::always);
  ASSERT_TRUE(run_both_until(kv, [&] { return kv.is_shut_out() && kv.is_key_unknown(); })) << kv.failure();
  EXPECT_NE(kv.failure().find("does not know our key"), std::string::npos) << kv.failure();
  EXPECT_FALSE(kv.answer().has_value());
  EXPECT_TRUE(kv.is_turned_away());
}

TEST_F(KvClientTest, TellsADoorThatNobodyOpensFromAKeyThatNobodyKnows) {
  KvClient kv({remote(first, closed_port())});
  kv.ask(command(), Repeat::always);
  ASSERT_TRUE(run_both_until(kv, [&] { return kv.is_shut_out(); }));
  EXPECT_FALSE(kv.is_key_unknown());
  EXPECT_NE(kv.failure(), "");
}

TEST_F(KvClientTest, DoesNotWaitWhereItsFileDoesNotNameItAndNobodyListens) {
  KvClient kv({remote(first, closed_port())}, {.is_listed = false, .advice = "put it there"});
  kv.ask(command(), Repeat::always);
  EXPECT_FALSE(kv.turn(transport::EventLoop::now() + Duration::seconds(60)));
  EXPECT_TRUE(kv.is_turned_away());
  EXPECT_NE(kv.failure().find("; put it there"), std::string::npos) << kv.failure();
}

TEST_F(KvClientTest, IsNotShutOutWhereOneDoorIsOpen) {
  listen();
  replica.answer = [this](door::DoorConnection from, const door::DoorMessage& message) {
    const auto& asked = std::get<door::Submit>(message);
    EXPECT_TRUE(server->send(from, door::Reply{.request = asked.request, .bytes = asked.command}));
  };
  KvClient kv({remote(first, closed_port()), remote(first, server->clients_port())});
  kv.ask(command(), Repeat::always);
  ASSERT_TRUE(run_both_until(kv, [&] { return kv.answer().has_value(); })) << kv.failure();
  EXPECT_FALSE(kv.is_shut_out());
  EXPECT_FALSE(kv.is_key_unknown());
  EXPECT_EQ(kv.last_place(), 1U);
  replica.forget();
}

}  // namespace
}  // namespace mallard::cli
