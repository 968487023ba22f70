#include "transport/memory/shm/shm_node.h"

#include <gtest/gtest.h>

#include "tests/transport/memory/shm/shm_world.h"

namespace mallard::memory {
namespace {

constexpr ProcessIndex a{0};
constexpr ProcessIndex b{1};

TEST(ShmNode, wrong_settings_are_refused) {
  ShmWorld world(ShmMode::direct, 1, {RegionLayout{64, 0, 0, false}});
  world.settings.queue_depth = 0;
  EXPECT_FALSE(ShmNode::open(world.settings));
}

TEST(ShmNode, one_process_alone_reaches_itself) {
  for (const ShmMode mode : {ShmMode::direct, ShmMode::agent}) {
    ShmWorld world(mode, 1, {RegionLayout{64, 0, 0, false}});
    const auto node = world.open(a);
    ASSERT_TRUE(wait_live(node->link(a)));
    const std::uint64_t value = 5;
    Work work;
    work.source = std::as_bytes(std::span(&value, 1));
    EXPECT_EQ(carry_out(node->link(a), work).status, WorkStatus::ok);
    EXPECT_EQ(load_word(node->domain().bytes(RegionIndex(0)), 0), 5U);
  }
}

TEST(ShmNode, a_memory_node_is_declared_as_one) {
  for (const ShmMode mode : {ShmMode::direct, ShmMode::agent}) {
    ShmWorld world(mode, 2, {RegionLayout{64, 3, 3, false}});
    world.settings.memory_node = true;
    const auto server = world.open(b);
    world.settings.memory_node = false;
    const auto user = world.open(a);
    EXPECT_EQ(user->link(b).capabilities(), Capabilities{});
    ASSERT_TRUE(wait_live(user->link(b)));
    EXPECT_TRUE(user->link(b).capabilities().survives_process);
    EXPECT_TRUE(user->link(b).capabilities().independent_of_process);
    EXPECT_FALSE(user->link(a).capabilities().survives_process);
  }
}

TEST(ShmNode, rights_are_enforced_only_between_users) {
  ShmWorld world(ShmMode::direct, 2, {RegionLayout{64, 3, 3, false}});
  EXPECT_FALSE(world.open(a)->link(a).capabilities().enforced_rights);
  world.settings.users = {1, 2};
  EXPECT_TRUE(world.open(a)->link(a).capabilities().enforced_rights);
}

}  // namespace
}  // namespace mallard::memory
