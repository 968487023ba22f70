#include "transport/door/door_place.h"

#include <gtest/gtest.h>

#include "tests/transport/door/door_world.h"

namespace mallard::transport::door {
namespace {

struct SilentOwner final : DoorStreamOwner {
  void stream_received(std::size_t, const DoorMessage&) override {}
  bool stream_may_read(std::size_t) override { return true; }
  void stream_has_room(std::size_t) override {}
  void stream_ended(std::size_t, DoorEnd) override {}
  void stream_wants_watch() override {}
  void stream_wants_turn(std::size_t) override {}
  void stream_wants_slot() override {}
};

TEST(DoorPlace, is_read_while_its_requests_have_room) {
  asio::io_context io{1};
  PayloadPool pool(PayloadPool::slot_bytes_max);
  const auto owner = std::make_shared<SilentOwner>();
  const StreamLimits stream;
  const PlaceLimits limits{.stream = stream, .unanswered = 2, .unanswered_bytes = 100};
  DoorPlace place(3, {io, pool, stream, *owner}, limits);
  const DoorConnection first = place.name();
  place.take().client = 7;
  EXPECT_NE(place.name(), first) << "a name is of one connection";
  EXPECT_TRUE(place.may_read());
  EXPECT_TRUE(place.open_request(Submit{.request = 1, .command = {.slot = 1, .bytes = 101}}));
  EXPECT_FALSE(place.may_read()) << "bytes";
  EXPECT_FALSE(place.open_request(Submit{.request = 1, .command = {.slot = 1, .bytes = 1}})) << "not new";
  EXPECT_TRUE(place.requests.close(1));
  EXPECT_TRUE(place.open_request(Load{.request = 2}));
  EXPECT_TRUE(place.may_read());
  EXPECT_TRUE(place.open_request(Load{.request = 3}));
  EXPECT_FALSE(place.may_read()) << "requests";
  place.requests.clear();
  place.paused = true;
  EXPECT_FALSE(place.may_read());
  place.take();
  EXPECT_TRUE(place.may_read());
  EXPECT_FALSE(place.peer.client) << "of who was there before";
}

}  // namespace
}  // namespace mallard::transport::door
