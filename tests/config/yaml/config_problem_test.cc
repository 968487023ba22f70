#include "config/yaml/config_problem.h"

#include <gtest/gtest.h>

namespace mallard::config {
namespace {

TEST(ConfigProblem, ReadsLikeACompilersMessage) {
  EXPECT_EQ(to_text({"dir/x.yaml", {3, 14}, "it is wrong", "repair it"}),
            "dir/x.yaml:3:14: it is wrong; repair it");
  EXPECT_EQ(to_text({"x.yaml", {}, "is empty", "fill it"}), "x.yaml: is empty; fill it");
}

TEST(ProblemList, SortsByPlaceAndKeepsTheOrderWithinOne) {
  ProblemList problems("x");
  problems.add({2, 1}, "c", "");
  problems.add({1, 9}, "a", "");
  problems.add({1, 9}, "b", "");
  std::string order;
  for (const ConfigProblem& problem : problems.take()) {
    order += problem.what;
  }
  EXPECT_EQ(order, "abc");
  EXPECT_TRUE(problems.empty());
}

TEST(ProblemList, KeepsABoundedNumberAndSaysHowManyItLeftOut) {
  ProblemList problems("x");
  for (std::size_t i = 0; i < ProblemList::problems_max + 3; ++i) {
    problems.add({1, 1}, "again", "");
  }
  const std::vector<ConfigProblem> kept = problems.take();
  ASSERT_EQ(kept.size(), ProblemList::problems_max + 1);
  EXPECT_EQ(kept.back().what, "3 more problems");
}

}  // namespace
}  // namespace mallard::config
