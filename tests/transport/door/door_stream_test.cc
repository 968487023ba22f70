// What a stream does with a peer that is slow, or does not go on. That it carries messages is seen through
// the server and the client.
#include "transport/door/door_stream.h"

#include <gtest/gtest.h>

#include "tests/transport/door/door_world.h"

namespace mallard::transport::door {
namespace {

class RecordingOwner final : public DoorStreamOwner {
 public:
  void stream_received(std::size_t, const DoorMessage&) override { ++received; }
  bool stream_may_read(std::size_t) override { return may_read; }
  void stream_has_room(std::size_t) override { ++rooms; }
  void stream_ended(std::size_t, DoorEnd end) override { ends.push_back(end); }
  void stream_wants_watch() override { ++watches; }
  void stream_wants_turn(std::size_t) override { ++turns; }
  void stream_wants_slot() override { ++slots; }

  bool may_read = true;
  int received = 0;
  int rooms = 0;
  int watches = 0;
  int turns = 0;
  int slots = 0;
  std::vector<DoorEnd> ends;
};

class DoorStreamTest : public DoorTest {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    peer = FileDescriptor(ends[1]);
    stream.open(FileDescriptor(ends[0]));
    stream.allow_bodies();
    stream.hello_done();
  }
  void say(const std::vector<std::byte>& bytes) {
    ASSERT_EQ(::send(peer.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static std::vector<std::byte> bytes_of(const DoorMessage& message) {
    std::vector<std::byte> bytes(frame_header_bytes + head_bytes_max);
    bytes.resize(encode_head(message, bytes));
    bytes.resize(bytes.size() + body_of(message).bytes);
    return bytes;
  }

  StreamLimits limits{.queue_frames = 16, .frame_deadline = Duration::milliseconds(100)};
  PayloadPool pool{4U << 20};
  std::shared_ptr<RecordingOwner> owner = std::make_shared<RecordingOwner>();
  DoorStream stream{0, {io, pool, limits, *owner}};
  FileDescriptor peer;
};

TEST_F(DoorStreamTest, a_frame_that_does_not_go_on_ends_it) {
  auto bytes = bytes_of(Submit{.request = 1, .command = {.slot = 1, .bytes = 50'000}});
  bytes.resize(20'000);
  say(bytes);
  ASSERT_TRUE(run_until([&] { return stream.needs_watch(); }));
  stream.check_deadlines(loop_now());
  EXPECT_TRUE(stream.is_open());
  ASSERT_TRUE(run_until([&] {
    stream.check_deadlines(loop_now());
    return !owner->ends.empty();
  }));
  EXPECT_EQ(owner->ends[0], DoorEnd::frame_deadline);
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

TEST_F(DoorStreamTest, our_own_delay_is_not_the_peers) {
  auto bytes = bytes_of(Credit{});
  bytes.resize(bytes.size() - 1);
  owner->may_read = false;
  say(bytes);
  io.run_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(stream.needs_watch());
  stream.check_deadlines(loop_now() + Duration::seconds(100));
  EXPECT_TRUE(stream.is_open());
  owner->may_read = true;
  stream.resume_reading();
  say({std::byte{0}});
  ASSERT_TRUE(run_until([&] { return owner->received == 1; }));
}

TEST_F(DoorStreamTest, is_watched_while_it_waits_for_a_slot) {
  std::vector<PayloadRef> taken;
  while (const auto slot = pool.allocate(1U << 20)) {
    taken.push_back(*slot);
  }
  say(bytes_of(Submit{.request = 1, .command = {.slot = 1, .bytes = 5000}}));
  const int before = owner->watches;
  ASSERT_TRUE(run_until([&] { return owner->slots == 1; }));
  EXPECT_TRUE(stream.needs_watch());
  EXPECT_GT(owner->watches, before);
  stream.check_deadlines(loop_now() + Duration::seconds(100));
  EXPECT_TRUE(stream.is_open()) << "our own delay is not the peer's";
  for (const PayloadRef slot : taken) {
    pool.release(slot);
  }
  stream.retry_reading();
  ASSERT_TRUE(run_until([&] { return owner->received == 1; }));
  EXPECT_FALSE(stream.needs_watch());
}

TEST_F(DoorStreamTest, a_burst_does_not_keep_the_loop_from_others) {
  const auto one = bytes_of(Credit{});
  std::vector<std::byte> many;
  for (std::uint32_t i = 0; i < 3 * limits.frames_per_turn; ++i) {
    many.insert(many.end(), one.begin(), one.end());
  }
  say(many);
  io.run_one();
  EXPECT_EQ(owner->received, static_cast<int>(limits.frames_per_turn));
  ASSERT_TRUE(run_until([&] { return owner->received == static_cast<int>(3 * limits.frames_per_turn); }));
}

TEST_F(DoorStreamTest, asks_for_a_turn_once_and_tells_of_room) {
  int sent = 0;
  const DoorMessage message = Submit{.request = 1, .command = stored(pool, std::string(200'000, 'x'))};
  while (stream.push(message, 1)) {
    ++sent;
  }
  EXPECT_EQ(sent, 15);
  EXPECT_EQ(owner->turns, 1);
  stream.write_turn();
  EXPECT_TRUE(stream.needs_watch()) << "the peer does not read";
  std::size_t read = 0;
  std::vector<std::byte> into(1U << 20);
  ASSERT_TRUE(run_until([&] {
    const ssize_t got = ::recv(peer.number(), into.data(), into.size(), 0);
    read += got > 0 ? static_cast<std::size_t>(got) : 0;
    return owner->rooms == 1 && stream.queue().empty();
  }));
  pool.release(body_of(message));
  EXPECT_FALSE(stream.needs_watch());
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

TEST_F(DoorStreamTest, ends_once_and_can_be_opened_again) {
  stream.end(DoorEnd::replaced);
  stream.end(DoorEnd::malformed);
  EXPECT_TRUE(owner->ends.empty()) << "never from inside a call";
  ASSERT_TRUE(run_until([&] { return !owner->ends.empty(); }));
  EXPECT_EQ(owner->ends, std::vector{DoorEnd::replaced});
  SetUp();
  say(bytes_of(Credit{}));
  ASSERT_TRUE(run_until([&] { return owner->received == 1; }));
  peer = FileDescriptor();
  ASSERT_TRUE(run_until([&] { return owner->ends.size() == 2; }));
  EXPECT_EQ(owner->ends[1], DoorEnd::by_peer);
}

TEST_F(DoorStreamTest, a_stream_that_is_shut_tells_nothing) {
  say(bytes_of(Credit{}));
  stream.shut();
  io.run_for(std::chrono::milliseconds(20));
  EXPECT_EQ(owner->received, 0);
  EXPECT_TRUE(owner->ends.empty());
  EXPECT_FALSE(stream.push(Credit{}, 0));
}

TEST_F(DoorStreamTest, its_memory_follows_its_queue) {
  StreamLimits longer = limits;
  longer.queue_frames *= 10;
  EXPECT_GT(DoorStream::memory_bytes(longer), DoorStream::memory_bytes(limits));
}

}  // namespace
}  // namespace mallard::transport::door
