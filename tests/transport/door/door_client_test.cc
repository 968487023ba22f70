#include "transport/door/door_client.h"

#include <gmock/gmock.h>

#include "tests/transport/door/door_world.h"

namespace mallard::transport::door {
namespace {

using testing::HasSubstr;

class DoorClientTest : public DoorTest {
 protected:
  // A replica that says what it likes to the client.
  void accept_raw() {
    auto opened = DoorListener::open(settings.path);
    ASSERT_TRUE(opened.has_value());
    listener.emplace(std::move(*opened));
    open_client(Role::client);
    ASSERT_TRUE(run_until([&] {
      bool exhausted = false;
      peer = listener->accept(exhausted);
      return peer.number() >= 0;
    }));
  }
  void say(const DoorMessage& message) {
    std::vector<std::byte> bytes(frame_header_bytes + head_bytes_max);
    bytes.resize(encode_head(message, bytes));
    bytes.resize(bytes.size() + body_of(message).bytes);
    ASSERT_EQ(::send(peer.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  std::optional<DoorListener> listener;
  FileDescriptor peer;
};

TEST_F(DoorClientTest, tries_until_somebody_listens) {
  client_settings.limits.redial_last = Duration::milliseconds(30);
  open_client(Role::client);
  ASSERT_TRUE(run_until([&] { return caller.failed.size() == 3; }));
  EXPECT_THAT(caller.failed[0], HasSubstr("No such file or directory"));
  EXPECT_FALSE(client->is_open());
  EXPECT_FALSE(submit(1, "nobody there"));
  open_server();
  ASSERT_TRUE(run_until([&] { return client->is_open(); }));
}

TEST_F(DoorClientTest, comes_again_when_the_replica_does) {
  open_both(Role::client);
  ASSERT_TRUE(submit(1, "lost"));
  EXPECT_EQ(client->unanswered(), 1U);
  server.reset();
  ASSERT_TRUE(run_until([&] { return caller.closed.size() == 1; }));
  EXPECT_EQ(caller.closed[0], DoorEnd::by_peer);
  EXPECT_EQ(client->unanswered(), 0U);
  open_server();
  ASSERT_TRUE(run_until([&] { return caller.welcomes.size() == 2; }));
  EXPECT_TRUE(submit(1, "numbers start again with the connection"));
  ASSERT_TRUE(run_until([&] { return !replica.received.empty(); }));
  replica.forget();
}

TEST_F(DoorClientTest, has_no_more_unanswered_than_the_replica_allows) {
  settings.limits.unanswered = 3;
  settings.limits.stream.queue_frames = 12;
  open_both(Role::client);
  EXPECT_TRUE(submit(1, "a") && submit(2, "b") && submit(3, "c"));
  EXPECT_FALSE(submit(4, "d"));
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 3; }));
  EXPECT_TRUE(reply(replica.received[0].first, 2, "done"));
  ASSERT_TRUE(run_until([&] { return caller.replies.size() == 1; }));
  EXPECT_TRUE(submit(4, "d"));
  replica.forget();
}

TEST_F(DoorClientTest, ends_with_who_answers_what_was_not_asked) {
  ASSERT_NO_FATAL_FAILURE(accept_raw());
  say(Welcome{.unanswered_max = 10});
  ASSERT_TRUE(run_until([&] { return client->is_open(); }));
  ASSERT_TRUE(submit(5, "x"));
  say(Reply{.request = 5, .bytes = {.slot = 1, .bytes = 100}});
  say(Reply{.request = 5, .bytes = {.slot = 1, .bytes = 100}});
  ASSERT_TRUE(run_until([&] { return caller.closed.size() == 1; }));
  EXPECT_EQ(caller.closed[0], DoorEnd::not_allowed);
  EXPECT_EQ(caller.replies.size(), 1U);
  EXPECT_EQ(client_pool.free_bytes(), client_pool.capacity());
}

TEST_F(DoorClientTest, ends_with_who_says_what_a_replica_does_not) {
  ASSERT_NO_FATAL_FAILURE(accept_raw());
  say(Welcome{.unanswered_max = 10});
  say(Credit{});
  ASSERT_TRUE(run_until([&] { return caller.closed.size() == 1; }));
  EXPECT_EQ(caller.closed[0], DoorEnd::not_allowed);
}

TEST_F(DoorClientTest, does_not_wait_forever_for_a_welcome) {
  client_settings.limits.stream.hello_deadline = Duration::milliseconds(150);
  ASSERT_NO_FATAL_FAILURE(accept_raw());
  ASSERT_TRUE(run_until([&] { return !caller.failed.empty(); }));
  EXPECT_THAT(caller.failed[0], HasSubstr("accepts but does not answer"));
}

TEST_F(DoorClientTest, tells_why_it_was_refused) {
  ASSERT_NO_FATAL_FAILURE(accept_raw());
  say(Refused{.reason = Refusal::version});
  ASSERT_TRUE(run_until([&] { return !caller.failed.empty(); }));
  EXPECT_THAT(caller.failed[0], HasSubstr("another version"));
  EXPECT_TRUE(caller.closed.empty()) << "it was never open";
}

TEST_F(DoorClientTest, refuses_a_version_that_it_does_not_speak) {
  ASSERT_NO_FATAL_FAILURE(accept_raw());
  say(Welcome{.version = version_newest + 1, .unanswered_max = 10});
  ASSERT_TRUE(run_until([&] { return !caller.failed.empty(); }));
  EXPECT_FALSE(client->is_open());
}

TEST_F(DoorClientTest, tries_again_by_itself_where_nobody_tells_of_slots) {
  open_both(Role::client);
  ASSERT_TRUE(submit(1, "x"));
  ASSERT_TRUE(run_until([&] { return replica.received.size() == 1; }));
  std::vector<PayloadRef> taken;
  while (const auto slot = client_pool.allocate(1U << 20)) {
    taken.push_back(*slot);
  }
  ASSERT_TRUE(reply(replica.received[0].first, 1, "done"));
  io.run_for(std::chrono::milliseconds(250));
  EXPECT_TRUE(caller.replies.empty()) << "the pool is still full";
  for (const PayloadRef slot : taken) {
    client_pool.release(slot);
  }
  ASSERT_TRUE(run_until([&] { return caller.replies.size() == 1; }));
  replica.forget();
}

TEST_F(DoorClientTest, tells_when_there_is_room_again) {
  client_settings.limits.stream.queue_frames = 4;
  open_both(Role::gateway);
  const DoorConnection from = replica.opened[0].first;
  server->pause(from);
  const Credit credit{.link = LinkIndex(1), .batches = 1};
  ASSERT_TRUE(run_until([&] { return !client->send(credit); }));
  server->resume(from);
  ASSERT_TRUE(run_until([&] { return caller.rooms == 1; }));
  EXPECT_TRUE(client->send(credit));
}

TEST_F(DoorClientTest, the_loop_may_go_on_without_it) {
  open_both(Role::client);
  client.reset();
  ASSERT_TRUE(run_until([&] { return replica.closed.size() == 1; }));
  EXPECT_EQ(replica.closed[0].second, DoorEnd::by_peer);
  EXPECT_TRUE(caller.closed.empty());
}

}  // namespace
}  // namespace mallard::transport::door
