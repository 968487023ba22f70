#include "rsm/core/cft/pull_score.h"

#include <gtest/gtest.h>

namespace mallard::rsm::cft {
namespace {

TEST(PullScore, DiesAfterFourteenSamplesWithoutChange) {
  PullScore score;
  for (int i = 0; i < 30; ++i) score.sample(true);
  EXPECT_EQ(score.score(), PullScore::score_max);
  for (int i = 0; i < 13; ++i) {
    score.sample(false);
    EXPECT_TRUE(score.alive()) << i;
  }
  score.sample(false);
  EXPECT_FALSE(score.alive());
}

TEST(PullScore, ComesBackAboveTheUpperThresholdOnly) {
  PullScore score;
  for (int i = 0; i < 30; ++i) score.sample(false);
  EXPECT_EQ(score.score(), 0);
  for (int i = 0; i < 6; ++i) {
    score.sample(true);
    EXPECT_FALSE(score.alive()) << i;
  }
  score.sample(true);
  EXPECT_TRUE(score.alive());
  score.sample(false);
  EXPECT_TRUE(score.alive()) << "does not flap";
}

TEST(PullScore, TheUnknownIsAliveButNotForLong) {
  PullScore score;
  EXPECT_TRUE(score.alive());
  for (int i = 0; i < 3; ++i) score.sample(false);
  EXPECT_FALSE(score.alive());
}

// Who beats every 12 ms is looked at every 5 ms.
TEST(PullScore, ASleeperIsNotTakenForDead) {
  PullScore score;
  const auto at = [](std::int64_t ms) { return Instant{} + Duration::milliseconds(ms); };
  std::int64_t now = 1000;
  std::int64_t seen = 0;
  for (int i = 0; i < 400; ++i, now += 5) {
    const std::int64_t beat = now / 12;
    score.look(at(now), beat != seen, Duration::milliseconds(80));
    seen = beat;
    ASSERT_TRUE(score.alive()) << now;
  }
  EXPECT_EQ(score.score(), PullScore::score_max);
  // It dies, and is missed at its own pace.
  const std::int64_t died = now;
  while (score.alive()) score.look(at(now += 5), false, Duration::milliseconds(80));
  EXPECT_GT(now - died, 100);
  EXPECT_LT(now - died, 300);
}

TEST(PullScore, TheDetectionIsQuickAgainWithWhomItWatches) {
  PullScore score;
  const auto at = [](std::int64_t ms) { return Instant{} + Duration::milliseconds(ms); };
  const Duration longest = Duration::milliseconds(80);
  std::int64_t now = 1000;
  for (int i = 0; i < 20; ++i) score.look(at(now += 60), true, longest);
  for (int i = 0; i < 40; ++i) score.look(at(now += 5), true, longest);
  const std::int64_t died = now;
  while (score.alive()) score.look(at(now += 5), false, longest);
  EXPECT_LE(now - died, 75);
}

// A time in which it was dead is not its pace, and a pause counts only so far.
TEST(PullScore, AnOutageIsNoPace) {
  PullScore score;
  const auto at = [](std::int64_t ms) { return Instant{} + Duration::milliseconds(ms); };
  const Duration longest = Duration::milliseconds(80);
  std::int64_t now = 1000;
  for (int i = 0; i < 40; ++i) score.look(at(now += 5), true, longest);
  while (score.alive()) score.look(at(now += 5), false, longest);
  now += 100'000;
  while (!score.alive()) score.look(at(now += 5), true, longest);
  for (int i = 0; i < 20; ++i) score.look(at(now += 5), true, longest);
  const std::int64_t died = now;
  while (score.alive()) score.look(at(now += 5), false, longest);
  EXPECT_LE(now - died, 75);
}

}  // namespace
}  // namespace mallard::rsm::cft
