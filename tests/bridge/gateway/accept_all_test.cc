#include "bridge/gateway/accept_all.h"

#include <gtest/gtest.h>

namespace mallard::bridge {
namespace {

TEST(AcceptAll, says_yes_to_every_check_in_order) {
  AcceptAll checker;
  EXPECT_FALSE(checker.poll().has_value());
  for (std::uint32_t round = 0; round < 10; ++round) {
    for (std::uint32_t check = 0; check < effects_per_step_max; ++check) {
      checker.check({.link = LinkIndex(3), .check = round + check, .header = {}, .payload = {}});
    }
    for (std::uint32_t check = 0; check < effects_per_step_max; ++check) {
      const auto answer = checker.poll();
      ASSERT_TRUE(answer.has_value());
      EXPECT_EQ(answer->link, LinkIndex(3));
      EXPECT_EQ(answer->check, round + check);
      EXPECT_TRUE(answer->valid);
    }
    EXPECT_FALSE(checker.poll().has_value());
  }
}

}  // namespace
}  // namespace mallard::bridge
