#include "transport/door/door_server.h"

#include <gmock/gmock.h>

#include "tests/support/alloc_guard.h"
#include "tests/transport/door/door_world.h"
#include "tests/transport/door/message_samples.h"

namespace mallard::transport::door {
namespace {

using testing::ElementsAre;

class DoorServerTest : public DoorTest {
 protected:
  // A caller that has said hello in this role and was welcomed.
  std::unique_ptr<RawCaller> raw(Role role) {
    auto raw = std::make_unique<RawCaller>(settings.path);
    const std::size_t before = replica.opened.size();
    raw->say(Hello{.role = role});
    EXPECT_TRUE(run_until([&] { return replica.opened.size() > before; }));
    std::optional<DoorMessage> heard;
    EXPECT_TRUE(run_until([&] { return (heard = raw->hear()).has_value(); }));
    EXPECT_TRUE(std::holds_alternative<Welcome>(*heard));
    return raw;
  }
  void expect_refused(RawCaller& raw, Refusal reason, DoorEnd end) {
    ASSERT_TRUE(run_until([&] { return raw.is_closed(); }));
    const auto heard = raw.hear();
    ASSERT_TRUE(heard.has_value());
    ASSERT_TRUE(std::holds_alternative<Refused>(*heard));
    EXPECT_EQ(std::get<Refused>(*heard).reason, reason);
    ASSERT_TRUE(run_until([&] { return ended(end) == 1; }));
    replica.forget();
    EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity());
  }
  std::uint64_t ended(DoorEnd end) { return server->counters().ended[static_cast<std::size_t>(end)]; }
  static DoorMessage submit_of(std::uint64_t request, std::uint32_t bytes) {
    return Submit{.request = request, .command = {.slot = 1, .bytes = bytes}};
  }
};

TEST_F(DoorServerTest, welcomes_and_says_who_it_is) {
  open_both(Role::operations);
  const Welcome& welcome = caller.welcomes[0];
  EXPECT_EQ(welcome.version, version_newest);
  EXPECT_EQ(welcome.replica, settings.replica);
  EXPECT_EQ(welcome.incarnation, settings.incarnation);
  EXPECT_EQ(welcome.unanswered_max, settings.limits.unanswered);
  EXPECT_EQ(replica.opened[0].second.role, Role::operations);
  EXPECT_EQ(replica.opened[0].second.caller.user, own_user());
  EXPECT_EQ(server->connections(Role::operations), 1U);
  EXPECT_EQ(server->connections(Role::client), 0U);
}

TEST_F(DoorServerTest, answers_go_to_who_asked_in_any_order) {
  open_both(Role::client);
  ASSERT_TRUE(submit(1, "one"));
  ASSERT_TRUE(submit(2, "two"));
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 2; }));
  EXPECT_EQ(text_of(server_pool, body_of(replica.received[1].second)), "two");
  const DoorConnection from = replica.received[0].first;
  EXPECT_TRUE(reply(from, 2, "second"));
  EXPECT_TRUE(server->send(from, Reply{.request = 1, .status = ReplyStatus::busy}));
  ASSERT_TRUE(run_until([&] { return caller.replies.size() == 2; }));
  EXPECT_THAT(caller.replies,
              ElementsAre(std::pair(2U, ReplyStatus::done), std::pair(1U, ReplyStatus::busy)));
  EXPECT_EQ(caller.texts[0], "second");
  EXPECT_EQ(client->unanswered(), 0U);
  replica.forget();
  EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity());
  EXPECT_EQ(client_pool.free_bytes(), client_pool.capacity());
  EXPECT_EQ(server->counters().submits, 2U);
  EXPECT_EQ(server->counters().replies, 2U);
}

TEST_F(DoorServerTest, a_large_command_and_a_large_reply_arrive_whole) {
  open_both(Role::client);
  std::string large(command_bytes_max, 'c');
  large[777'777] = 'x';
  ASSERT_TRUE(submit(1, large));
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 1; }));
  EXPECT_EQ(text_of(server_pool, body_of(replica.received[0].second)), large);
  const DoorConnection from = replica.received[0].first;
  replica.forget();
  EXPECT_TRUE(reply(from, 1, large));
  ASSERT_TRUE(run_until([&] { return caller.replies.size() == 1; }));
  EXPECT_EQ(caller.texts[0], large);
}

TEST_F(DoorServerTest, nothing_is_allocated_per_request) {
  open_both(Role::client);
  replica.answer = [&](DoorConnection from, const DoorMessage& message) {
    const auto& request = std::get<Submit>(message);
    server->send(from, Reply{.request = request.request, .bytes = request.command});
    server_pool.release(request.command);
  };
  replica.record = caller.record = false;
  const PayloadRef command = stored(client_pool, std::string(100, 'x'));
  std::uint64_t request = 0;
  const auto exchange = [&](int until) {
    while (caller.messages < until) {
      while (client->send(Submit{.request = request + 1, .command = command})) {
        ++request;
      }
      client->flush();
      io.poll();
    }
  };
  exchange(500);
  const support::AllocGuard guard;
  exchange(2000);
  EXPECT_EQ(guard.allocations(), 0U);
  client_pool.release(command);
}

TEST_F(DoorServerTest, reads_no_more_than_may_be_unanswered) {
  settings.limits.unanswered = 4;
  settings.limits.stream.queue_frames = 16;
  open_server();
  const auto caller_ = raw(Role::client);
  for (std::uint64_t request = 1; request <= 10; ++request) {
    ASSERT_TRUE(caller_->say(submit_of(request, 10)));
  }
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 4; }));
  io.run_for(std::chrono::milliseconds(20));
  EXPECT_EQ(replica.received.size(), 4U);
  const DoorConnection from = replica.received[0].first;
  EXPECT_TRUE(server->send(from, Reply{.request = 3, .status = ReplyStatus::busy}));
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 5; }));
  for (const std::uint64_t request : {1U, 2U, 4U, 5U}) {
    EXPECT_TRUE(server->send(from, Reply{.request = request, .status = ReplyStatus::busy}));
  }
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 9; }));
  replica.forget();
}

TEST_F(DoorServerTest, bytes_of_unanswered_commands_have_a_limit) {
  settings.limits.unanswered_bytes = 25'000;
  open_server();
  const auto caller_ = raw(Role::client);
  for (std::uint64_t request = 1; request <= 5; ++request) {
    ASSERT_TRUE(caller_->say(submit_of(request, 10'000)));
  }
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 3; }));
  io.run_for(std::chrono::milliseconds(20));
  EXPECT_EQ(replica.received.size(), 3U);
  EXPECT_TRUE(server->send(replica.received[0].first, Reply{.request = 1, .status = ReplyStatus::busy}));
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 4; }));
  replica.forget();
}

TEST_F(DoorServerTest, waits_for_a_slot_instead_of_dropping) {
  open_server();
  const auto caller_ = raw(Role::client);
  std::vector<PayloadRef> taken;
  while (const auto slot = server_pool.allocate(1U << 20)) {
    taken.push_back(*slot);
  }
  ASSERT_TRUE(caller_->say(submit_of(1, 5000)));
  ASSERT_TRUE(caller_->say(submit_of(2, 10)));
  io.run_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(replica.received.empty());
  for (const PayloadRef slot : taken) {
    server_pool.release(slot);
  }
  server->retry_reading();
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 2; }));
  replica.forget();
}

TEST_F(DoorServerTest, tries_again_by_itself_where_nobody_tells_of_slots) {
  open_server();
  const auto caller_ = raw(Role::client);
  std::vector<PayloadRef> taken;
  while (const auto slot = server_pool.allocate(1U << 20)) {
    taken.push_back(*slot);
  }
  ASSERT_TRUE(caller_->say(submit_of(1, 5000)));
  io.run_for(std::chrono::milliseconds(250));
  EXPECT_TRUE(replica.received.empty()) << "the pool is still full";
  for (const PayloadRef slot : taken) {
    server_pool.release(slot);
  }
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 1; }));
  replica.forget();
}

TEST_F(DoorServerTest, a_paused_connection_is_not_read) {
  open_both(Role::client);
  const DoorConnection from = replica.opened[0].first;
  server->pause(from);
  ASSERT_TRUE(submit(1, "wait"));
  io.run_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(replica.received.empty());
  server->resume(from);
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 1; }));
  replica.forget();
}

TEST_F(DoorServerTest, who_does_not_read_is_not_read_and_then_closed) {
  settings.limits.stream.write_deadline = Duration::milliseconds(200);
  open_server();
  const auto caller_ = raw(Role::client);
  const std::string large(100'000, 'r');
  replica.answer = [&](DoorConnection from, const DoorMessage& message) {
    reply(from, std::get<Submit>(message).request, large);
  };
  std::uint64_t request = 0;
  ASSERT_TRUE(run_until([&] {
    if (request < 60 && caller_->say(submit_of(request + 1, 10))) {
      ++request;
    }
    return !replica.closed.empty();
  }));
  EXPECT_EQ(replica.closed[0].second, DoorEnd::write_deadline);
  replica.forget();
  EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity()) << "what was queued was given back";
  EXPECT_FALSE(server->send(replica.closed[0].first, Reply{.request = 1, .status = ReplyStatus::busy}));
}

TEST_F(DoorServerTest, what_a_role_may_not_say_closes_the_connection) {
  open_server();
  MessageSamples samples(5);
  for (const Role role : {Role::client, Role::gateway, Role::operations}) {
    for (std::size_t kind = 0; kind < message_kinds; ++kind) {
      DoorMessage message = samples.draw(kind);
      if (is_said_by(role, message)) {
        continue;
      }
      if (body_of(message).bytes > 60'000) {
        continue;  // does not fit the socket at once; another sample will
      }
      const std::size_t closed = replica.closed.size();
      const auto caller_ = raw(role);
      ASSERT_TRUE(caller_->say(message));
      ASSERT_TRUE(run_until([&] { return replica.closed.size() > closed; })) << kind;
      EXPECT_EQ(replica.closed.back().second, DoorEnd::not_allowed);
    }
  }
  EXPECT_TRUE(replica.received.empty());
  EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity());
}

TEST_F(DoorServerTest, a_request_number_is_used_once) {
  open_server();
  const auto caller_ = raw(Role::client);
  caller_->say(submit_of(7, 10));
  caller_->say(submit_of(7, 10));
  expect_refused(*caller_, Refusal::role, DoorEnd::not_allowed);
}

TEST_F(DoorServerTest, nothing_may_come_before_the_hello) {
  open_server();
  RawCaller first(settings.path);
  first.say(Credit{});
  expect_refused(first, Refusal::malformed, DoorEnd::malformed);
  RawCaller second(settings.path);
  second.say(submit_of(1, 10));
  ASSERT_TRUE(run_until([&] { return second.is_closed() && ended(DoorEnd::malformed) == 2; }));
  RawCaller third(settings.path);
  third.say(Hello{.mark = 1});
  ASSERT_TRUE(run_until([&] { return third.is_closed() && ended(DoorEnd::malformed) == 3; }));
}

TEST_F(DoorServerTest, speaks_no_version_that_it_does_not_know) {
  open_server();
  RawCaller newer(settings.path);
  newer.say(Hello{.oldest = version_newest + 1, .newest = version_newest + 2});
  expect_refused(newer, Refusal::version, DoorEnd::no_version);
  RawCaller broad(settings.path);
  broad.say(Hello{.oldest = version_oldest, .newest = version_newest + 2});
  std::optional<DoorMessage> heard;
  ASSERT_TRUE(run_until([&] { return (heard = broad.hear()).has_value(); }));
  EXPECT_EQ(std::get<Welcome>(*heard).version, version_newest);
}

TEST_F(DoorServerTest, garbage_closes_the_connection) {
  open_server();
  Prng prng(9);
  for (int i = 0; i < 50; ++i) {
    const auto caller_ = raw(Role::gateway);
    std::vector<std::byte> garbage(prng.between(64, 300));
    for (std::byte& byte : garbage) {
      byte = static_cast<std::byte>(prng.next());
    }
    garbage[5] = std::byte{0xff};  // a head above its limit
    caller_->say(garbage);
    ASSERT_TRUE(run_until([&] { return caller_->is_closed(); }));
  }
  EXPECT_TRUE(replica.received.empty());
  EXPECT_EQ(server_pool.free_bytes(), server_pool.capacity());
}

TEST_F(DoorServerTest, each_role_has_its_places) {
  settings.limits.clients = 2;
  settings.limits.operations = 1;
  open_server();
  const auto first = raw(Role::client);
  const auto second = raw(Role::client);
  RawCaller third(settings.path);
  third.say(Hello{});
  expect_refused(third, Refusal::role, DoorEnd::no_place);
  const auto operations = raw(Role::operations);
  const auto gateway = raw(Role::gateway);
  first->hang_up();
  ASSERT_TRUE(run_until([&] { return replica.closed.size() == 1; }));
  EXPECT_EQ(replica.closed[0].second, DoorEnd::by_peer);
  const auto again = raw(Role::client);
  EXPECT_EQ(server->connections(Role::client), 2U);
}

TEST_F(DoorServerTest, a_newer_gateway_takes_the_place) {
  open_server();
  const auto older = raw(Role::gateway);
  const auto newer = raw(Role::gateway);
  ASSERT_TRUE(run_until([&] { return older->is_closed() && replica.closed.size() == 1; }));
  EXPECT_EQ(replica.closed[0].first, replica.opened[0].first);
  EXPECT_EQ(replica.closed[0].second, DoorEnd::replaced);
  EXPECT_FALSE(newer->is_closed());
  EXPECT_EQ(server->connections(Role::gateway), 1U);
}

TEST_F(DoorServerTest, half_open_connections_are_bounded_in_number_and_time) {
  settings.limits.pending = 8;
  settings.limits.stream.hello_deadline = Duration::milliseconds(300);
  open_server();
  const auto honest = raw(Role::client);
  std::vector<std::unique_ptr<RawCaller>> silent;
  for (int i = 0; i < 100; ++i) {
    silent.push_back(std::make_unique<RawCaller>(settings.path));
    io.poll();
  }
  EXPECT_EQ(server->counters().refused_by_pending, 92U);
  ASSERT_TRUE(honest->say(submit_of(1, 10)));
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 1; })) << "who is in is served";
  ASSERT_TRUE(run_until([&] { return ended(DoorEnd::hello_deadline) == 8; }));
  const auto later = raw(Role::client);
  replica.forget();
}

TEST_F(DoorServerTest, an_idle_client_is_left_alone) {
  settings.limits.stream.hello_deadline = Duration::milliseconds(50);
  settings.limits.stream.frame_deadline = Duration::milliseconds(50);
  open_both(Role::client);
  io.run_for(std::chrono::milliseconds(300));
  EXPECT_TRUE(replica.closed.empty());
}

TEST_F(DoorServerTest, what_nobody_asked_for_waits_for_room) {
  open_server();
  const auto gateway = raw(Role::gateway);
  const DoorConnection to = replica.opened[0].first;
  const Extent extent{.link = LinkIndex(1)};
  ASSERT_TRUE(run_until([&] { return !server->send(to, extent); })) << "the queue ends";
  EXPECT_EQ(replica.rooms, 0);
  ASSERT_TRUE(run_until([&] {
    while (gateway->hear()) {
    }
    return replica.rooms == 1;
  }));
  EXPECT_TRUE(server->send(to, extent));
}

TEST_F(DoorServerTest, closes_who_is_to_be_closed) {
  open_both(Role::client);
  const DoorConnection from = replica.opened[0].first;
  server->close(from);
  EXPECT_FALSE(server->send(from, Extent{}));
  ASSERT_TRUE(run_until([&] { return caller.closed.size() == 1 && replica.closed.size() == 1; }));
  EXPECT_EQ(replica.closed[0].second, DoorEnd::by_owner);
  server->close(from);
  server->pause(from);
  ASSERT_TRUE(run_until([&] { return replica.opened.size() == 2; })) << "the client comes again";
  EXPECT_NE(replica.opened[1].first, from);
}

TEST_F(DoorServerTest, its_memory_follows_its_limits) {
  const DoorServerLimits limits;
  DoorServerLimits more = limits;
  more.clients *= 2;
  EXPECT_LT(door_memory_bytes(limits), 8U << 20);
  EXPECT_GT(door_memory_bytes(more), door_memory_bytes(limits) * 3 / 2);
}

TEST_F(DoorServerTest, the_loop_may_go_on_without_it) {
  open_both(Role::client);
  ASSERT_TRUE(submit(1, "late"));
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(settings.path));
  ASSERT_TRUE(run_until([&] { return caller.closed.size() == 1; }));
  EXPECT_TRUE(replica.closed.empty());
}

}  // namespace
}  // namespace mallard::transport::door
