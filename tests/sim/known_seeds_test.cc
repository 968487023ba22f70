// Seeds that found defects, kept for good. A change of what seeds draw may make one play another world; it
// then costs little and finds nothing.
#include <gtest/gtest.h>

#include "tests/sim/run.h"

namespace mallard::sim {
namespace {

struct Known {
  std::uint64_t seed;
  const char* found;
};

class KnownSeeds : public testing::TestWithParam<Known> {};

TEST_P(KnownSeeds, Pass) {
  Choices choices(GetParam().seed);
  Marks marks;
  const Outcome outcome = run_world(choices, {}, marks, nullptr);
  EXPECT_EQ(outcome.failure.checker, "") << GetParam().found << ": " << outcome.failure.detail;
}

INSTANTIATE_TEST_SUITE_P(
    Found, KnownSeeds,
    testing::Values(Known{269, "a liar's echoes stretched its peers' pulls without bound"},
                    Known{498, "the same, seen by anti_entropy"},
                    Known{606, "a copy beyond a small window was not passed on"},
                    Known{1251, "the same, with reports several acknowledgements old"},
                    Known{1205, "a batch overtook an acknowledgement, which was dropped"},
                    Known{1736, "the same, in both directions"},
                    Known{3524, "a batch that made room for a nearer one was not counted as dropped"}));

TEST(Replay, ARecordedRunRepeats) {
  Choices drawn(3);
  drawn.record();
  Marks marks;
  const Outcome first = run_world(drawn, {}, marks, nullptr);
  Choices recorded(drawn.recorded());
  const Outcome second = run_world(recorded, {}, marks, nullptr);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.events, second.events);
}

}  // namespace
}  // namespace mallard::sim
