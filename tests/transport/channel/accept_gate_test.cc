#include "transport/channel/accept_gate.h"

#include <gtest/gtest.h>

namespace mallard::transport {
namespace {

class AcceptGateTest : public testing::Test {
 protected:
  std::size_t admitted(std::uint64_t prefix, std::size_t tries) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < tries; ++i) {
      count += gate_.admit(prefix, now_) ? 1U : 0U;
    }
    return count;
  }

  AcceptGate gate_{ChannelLimits{}};
  Instant now_ = Instant{} + Duration::seconds(1000);
};

TEST_F(AcceptGateTest, lets_one_neighbourhood_in_up_to_its_rate) {
  EXPECT_EQ(admitted(1, 1000), 64U);
  EXPECT_EQ(admitted(2, 1000), 64U) << "another one has its own";
  now_ = now_ + Duration::milliseconds(500);
  EXPECT_EQ(admitted(1, 1000), 32U);
  now_ = now_ + Duration::seconds(3600);
  EXPECT_EQ(admitted(1, 1000), 64U) << "a long rest gives one second's worth";
}

TEST_F(AcceptGateTest, lets_all_in_up_to_the_total_rate) {
  std::size_t count = 0;
  for (std::uint64_t prefix = 0; prefix < 5000; ++prefix) {
    count += admitted(prefix, 1);
  }
  EXPECT_EQ(count, 512U);
  now_ = now_ + Duration::milliseconds(250);
  EXPECT_EQ(admitted(9999, 64) + admitted(9998, 64) + admitted(9997, 64), 128U);
}

TEST_F(AcceptGateTest, remembers_who_is_there_while_others_come_and_go) {
  EXPECT_EQ(admitted(1, 64), 64U);
  for (std::uint64_t prefix = 100; prefix < 100 + AcceptGate::neighbourhoods - 1; ++prefix) {
    static_cast<void>(gate_.admit(prefix, now_));
  }
  EXPECT_EQ(admitted(1, 10), 0U);
}

}  // namespace
}  // namespace mallard::transport
