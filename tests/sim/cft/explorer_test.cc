#include "tests/sim/cft/explorer.h"

#include <gtest/gtest.h>

namespace mallard::sim::cft {
namespace {

TEST(Explorer, GoesThroughAChangeOfLeadersWithNothingOnItsWay) {
  CftMarks marks;
  const Exploration found = Explorer({.commands = 0}, marks).run();
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.failure.checker, "") << found.failure.detail;
  EXPECT_GT(found.states, 300U);
  EXPECT_GT(found.ends, 50U);
  EXPECT_GT(marks.count(CftMark::leader_change), 10U);
}

// It can fail: where the old leader may still write after the regrant, what it was told is written is lost.
TEST(Explorer, NoticesAMemoryThatLetsEverybodyWrite) {
  CftMarks marks;
  const Exploration found = Explorer({.commands = 1, .grants_enforced = false}, marks).run();
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.failure.checker, "single_writer") << found.failure.detail;
  EXPECT_FALSE(found.path.empty());
}

TEST(Explorer, StopsAtItsLimit) {
  CftMarks marks;
  const Exploration found = Explorer({.commands = 1, .states_max = 2'000}, marks).run();
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.failure.checker, "");
}

TEST(SeenStates, KnowsWhatItHasSeen) {
  SeenStates seen;
  for (std::uint64_t i = 0; i < 200'000; ++i) EXPECT_TRUE(seen.insert(i * 0x9e3779b97f4a7c15ULL));
  for (std::uint64_t i = 0; i < 200'000; ++i) EXPECT_FALSE(seen.insert(i * 0x9e3779b97f4a7c15ULL));
  EXPECT_EQ(seen.size(), 200'000U);
}

}  // namespace
}  // namespace mallard::sim::cft
