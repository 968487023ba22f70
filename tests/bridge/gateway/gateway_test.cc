#include "bridge/gateway/gateway.h"

#include <gtest/gtest.h>

#include <variant>

#include "tests/bridge/gateway/memory_world.h"

namespace mallard::bridge {
namespace {

constexpr ReplicaAddress east{ClusterIndex(0), ReplicaIndex(0)};
constexpr ReplicaAddress west{ClusterIndex(1), ReplicaIndex(0)};
constexpr ReplicaAddress west_second{ClusterIndex(1), ReplicaIndex(1)};

void commit(MemoryNode& node, int count) {
  for (int i = 0; i < count; ++i) {
    node.attachment.log.push_back("batch " + std::to_string(node.attachment.log.size() + 1));
  }
}

TEST(Gateway, carries_what_one_side_commits_to_the_other_in_order) {
  MemoryWorld world(1, 1);
  world.connect_all();
  commit(world.source(), 1000);
  world.run(Duration::seconds(2));
  EXPECT_EQ(world.destination().attachment.delivered, world.source().attachment.log);
  EXPECT_EQ(world.source().gateway.core().outbound(world_link)->quacked(), BatchNumber(1000));
  EXPECT_EQ(world.source().gateway.core().outbound(world_link)->counters().resends, 0U);
}

TEST(Gateway, gives_every_source_payload_back_once_it_is_held_elsewhere) {
  MemoryWorld world(1, 1);
  world.connect_all();
  commit(world.source(), 500);
  world.run(Duration::seconds(2));
  EXPECT_EQ(world.source().pool.free_bytes(), world.source().pool.capacity());
}

TEST(Gateway, every_replica_of_the_destination_gets_everything) {
  MemoryWorld world(3, 3);
  world.connect_all();
  for (std::uint16_t replica = 0; replica < 3; ++replica) {
    commit(world.source(replica), 300);
  }
  world.run(Duration::seconds(2));
  std::uint64_t copies = 0;
  for (std::uint16_t replica = 0; replica < 3; ++replica) {
    EXPECT_EQ(world.destination(replica).attachment.delivered, world.source().attachment.log);
    copies += world.destination(replica).gateway.core().inbound(world_link)->counters().copies_from_source;
  }
  EXPECT_EQ(copies, 300U) << "one copy of each between the clusters";
}

TEST(Gateway, a_replica_that_comes_late_is_served_from_storage) {
  MemoryWorld world(1, 2);
  world.connect(east, west);
  commit(world.source(), 2000);
  world.run(Duration::seconds(4));
  ASSERT_EQ(world.destination(0).attachment.delivered.size(), 2000U);
  world.connect(east, west_second);
  world.connect(west, west_second);
  world.run(Duration::seconds(10));
  EXPECT_EQ(world.destination(1).attachment.delivered, world.source().attachment.log);
  EXPECT_GT(world.destination(0).attachment.loads, 0);
}

TEST(Gateway, loads_may_be_answered_much_later) {
  MemoryWorld world(1, 2);
  world.connect(east, west);
  commit(world.source(), 2000);
  world.run(Duration::seconds(4));
  world.destination(0).attachment.holds_loads = true;
  world.connect(east, west_second);
  world.connect(west, west_second);
  world.run(Duration::milliseconds(300));
  EXPECT_LT(world.destination(1).attachment.delivered.size(), 2000U);
  world.destination(0).attachment.holds_loads = false;
  world.run(Duration::seconds(10));
  EXPECT_EQ(world.destination(1).attachment.delivered, world.source().attachment.log);
}

TEST(Gateway, takes_a_bounded_number_of_batches_in_a_turn) {
  MemoryWorld world(1, 1);
  world.connect_all();
  world.run(Duration::milliseconds(20));
  commit(world.source(), 250);
  world.source().gateway.turn(world.now());
  EXPECT_EQ(world.source().attachment.tapped(), Gateway::commits_per_turn_max);
}

TEST(Gateway, takes_no_more_than_the_window) {
  MemoryWorld world(1, 1);
  world.connect_all();
  world.run(Duration::milliseconds(20));
  commit(world.source(), 1000);
  for (int turn = 0; turn < 20; ++turn) {
    world.source().gateway.turn(world.now());
  }
  EXPECT_EQ(world.source().attachment.tapped(), 256U);
}

TEST(Gateway, a_frame_that_does_not_decode_closes_its_channel_and_leaks_nothing) {
  MemoryWorld world(1, 1);
  world.connect_all();
  MemoryNode& node = world.destination();
  world.run(Duration::milliseconds(5));
  const std::size_t free_before = node.pool.free_bytes();
  const std::vector<std::byte> garbage(40, std::byte{0x5a});
  node.gateway.on_frame(east, garbage, *node.pool.allocate(1000), world.now());
  EXPECT_EQ(node.pool.free_bytes(), free_before);
  EXPECT_EQ(node.gateway.counters().frames_malformed, 1U);
  EXPECT_EQ(node.carrier.closed.count(east), 1U);
}

TEST(Gateway, batches_go_on_the_data_lane_and_everything_else_on_the_control_lane) {
  MemoryWorld world(1, 1);
  world.connect_all();
  world.run(Duration::milliseconds(20));
  commit(world.source(), 3);
  world.source().gateway.turn(world.now());
  int batches = 0;
  for (const MemoryCarrier::Sent& sent : world.source().carrier.sent) {
    EXPECT_EQ(sent.lane == Lane::data, sent.body.bytes > 0);
    batches += sent.body.bytes > 0 ? 1 : 0;
  }
  EXPECT_EQ(batches, 3);
  EXPECT_EQ(world.source().gateway.counters().head_bytes_out, 3 * wire::batch_frame_head_bytes);
}

TEST(Gateway, frames_that_find_no_room_are_counted_and_come_again) {
  MemoryWorld world(1, 1);
  world.connect_all();
  world.run(Duration::milliseconds(20));
  world.source().carrier.refuses = true;
  commit(world.source(), 3);
  world.source().gateway.turn(world.now());
  EXPECT_GE(world.source().gateway.counters().frames_unqueued, 3U);
  world.source().carrier.refuses = false;
  world.run(Duration::seconds(5));
  EXPECT_EQ(world.destination().attachment.delivered, world.source().attachment.log);
}

class EffectCounter final : public GatewayObserver {
 public:
  void on_effect(const Effect& effect, Instant) override {
    sends += std::holds_alternative<SendFrame>(effect) ? 1 : 0;
    applies += std::holds_alternative<Apply>(effect) ? 1 : 0;
  }
  int sends = 0;
  int applies = 0;
};

TEST(Gateway, an_observer_sees_every_effect) {
  EffectCounter seen;
  MemoryWorld world(1, 1, &seen);
  world.connect_all();
  commit(world.source(), 10);
  world.run(Duration::seconds(1));
  EXPECT_EQ(seen.applies, 10);
  EXPECT_GE(seen.sends, 10);
}

TEST(Gateway, is_quiet_when_there_is_nothing_to_do) {
  MemoryWorld world(1, 1);
  world.connect_all();
  commit(world.source(), 10);
  world.run(Duration::milliseconds(2500));  // to the middle between two heartbeats
  EXPECT_FALSE(world.source().gateway.turn(world.now()));
  EXPECT_GT(world.source().gateway.next_deadline(), world.now());
}

}  // namespace
}  // namespace mallard::bridge
