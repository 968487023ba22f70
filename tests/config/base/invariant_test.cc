#include "config/base/invariant.h"

#include <gtest/gtest.h>

namespace mallard {
namespace {

TEST(Invariant, one_that_holds_costs_one_evaluation) {
  int evaluations = 0;
  MALLARD_INVARIANT(++evaluations == 1);
  EXPECT_EQ(evaluations, 1);
}

TEST(InvariantDeathTest, a_broken_one_names_itself_and_its_place) {
  const int answer = 41;
  EXPECT_DEATH(MALLARD_INVARIANT(answer == 42), "answer == 42 .*invariant_test.cc:[0-9]+");
}

}  // namespace
}  // namespace mallard
