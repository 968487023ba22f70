#include "tests/sim/lab/server.h"

#include <gtest/gtest.h>

namespace mallard::lab {
namespace {

std::uint32_t serve(Server& server) {
  const std::uint32_t parcel = server.start();
  server.finish();
  return parcel;
}

TEST(Server, TakesAsLongAsItsRateSays) {
  const Server server(8e9, 1);  // a byte in a nanosecond
  EXPECT_EQ(server.time_for(1'000).ns, 1'000);
  EXPECT_EQ(Server(15e9, 1).time_for(1'000'000).ns, 533'333);
}

TEST(Server, ServesFlowsInTurnsAndEachInOrder) {
  Server server(1e9, 3);
  server.add(10, false, 0);
  server.add(11, false, 0);
  server.add(12, false, 0);
  server.add(20, false, 2);
  server.add(21, false, 2);
  EXPECT_EQ(serve(server), 10U);
  EXPECT_EQ(serve(server), 20U);
  EXPECT_EQ(serve(server), 11U);
  EXPECT_EQ(serve(server), 21U);
  EXPECT_EQ(serve(server), 12U);
  EXPECT_FALSE(server.can_start());
}

TEST(Server, LetsControlOvertakeButInterruptsNothing) {
  Server server(1e9, 1);
  server.add(1, false, 0);
  server.add(2, false, 0);
  EXPECT_EQ(server.start(), 1U);
  server.add(3, true, 0);
  EXPECT_FALSE(server.can_start());
  server.finish();
  EXPECT_EQ(serve(server), 3U);
  EXPECT_EQ(serve(server), 2U);
}

}  // namespace
}  // namespace mallard::lab
