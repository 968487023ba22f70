#include "transport/door/client_roster.h"

#include <gtest/gtest.h>

namespace mallard::transport::door {
namespace {

TEST(ClientRoster, a_client_has_its_share_of_connections_and_bytes) {
  ClientDoorLimits limits;
  limits.connections_per_client = 2;
  limits.body_bytes = 10;
  limits.body_bytes_per_client = 8;
  ClientRoster roster(2, limits);
  EXPECT_TRUE(roster.enter(0));
  EXPECT_TRUE(roster.enter(0));
  EXPECT_FALSE(roster.enter(0));
  EXPECT_TRUE(roster.enter(1)) << "another one's share is its own";
  roster.leave(0);
  EXPECT_TRUE(roster.enter(0));
  EXPECT_FALSE(roster.budget(0).take(9));
  EXPECT_TRUE(roster.budget(0).take(8));
  EXPECT_FALSE(roster.budget(1).take(3)) << "all of them have no more";
  EXPECT_TRUE(roster.budget(1).take(2));
}

TEST(ClientRoster, an_end_is_news_once_for_each_client) {
  ClientRoster roster(2, {});
  EXPECT_TRUE(roster.is_news(0, DoorEnd::malformed));
  EXPECT_FALSE(roster.is_news(0, DoorEnd::malformed));
  EXPECT_TRUE(roster.is_news(0, DoorEnd::not_allowed));
  EXPECT_TRUE(roster.is_news(1, DoorEnd::malformed));
}

}  // namespace
}  // namespace mallard::transport::door
