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

}  // namespace
}  // namespace mallard::rsm::cft
