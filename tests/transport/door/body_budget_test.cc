#include "transport/door/body_budget.h"

#include <gtest/gtest.h>

namespace mallard::transport::door {
namespace {

TEST(BodyBudget, a_part_takes_from_the_whole_and_gives_back_to_it) {
  BodyBudget whole(100);
  BodyBudget one(80, &whole);
  BodyBudget other(80, &whole);
  EXPECT_TRUE(one.take(80));
  EXPECT_FALSE(one.take(1)) << "its own end";
  EXPECT_FALSE(other.take(21)) << "the end of the whole";
  EXPECT_TRUE(other.take(20));
  EXPECT_EQ(whole.taken(), 100U);
  one.give_back(30);
  EXPECT_EQ(whole.taken(), 70U);
  EXPECT_TRUE(other.take(30));
  EXPECT_FALSE(one.take(1));
  EXPECT_EQ(one.taken(), 50U) << "what was refused took nothing";
}

TEST(BodyBudgetDeathTest, gives_back_what_was_taken_and_no_more) {
  BodyBudget budget(10);
  ASSERT_TRUE(budget.take(4));
  EXPECT_DEATH(budget.give_back(5), "");
}

}  // namespace
}  // namespace mallard::transport::door
