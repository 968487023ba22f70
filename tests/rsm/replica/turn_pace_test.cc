#include "rsm/replica/turn_pace.h"

#include <gtest/gtest.h>

namespace mallard::rsm {
namespace {

using config::Wait;
using Kind = TurnPace::Rest::Kind;
constexpr Instant start{1'000'000'000};

TEST(TurnPace, AdaptiveSleepsEverLongerWhileNothingHappens) {
  TurnPace pace(Wait::adaptive, start);
  Instant now = start;
  EXPECT_EQ(pace.after({.log_grew = true}, now, Instant::never()).kind, Kind::none);
  Duration before = Duration::nanoseconds(0);
  for (int i = 0; i < 12; ++i) {
    const TurnPace::Rest rest = pace.after({.knows_leader = true}, now, Instant::never());
    ASSERT_EQ(rest.kind, Kind::wait);
    EXPECT_GE(rest.until - now, before);
    EXPECT_LE(rest.until - now, TurnPace::last_wait);
    before = rest.until - now;
    now = rest.until;
  }
  EXPECT_EQ(before, TurnPace::last_wait);
  const Instant later = start + TurnPace::idle_after + Duration::milliseconds(1);
  EXPECT_EQ(pace.after({.knows_leader = true}, later, later).until, later + TurnPace::idle_wait)
      << "then deadlines wait, too";
  EXPECT_EQ(pace.after({.knows_leader = false}, later, later).until, later) << "not while there is no leader";
}

TEST(TurnPace, AdaptiveLooksOftenWhileAnEntryIsUnderWayAndMeetsDeadlines) {
  TurnPace pace(Wait::adaptive, start);
  TurnPace::Rest rest;
  for (int i = 0; i < 12; ++i) {
    rest = pace.after({.unfinished = true, .knows_leader = true}, start, Instant::never());
  }
  EXPECT_EQ(rest.until, start + TurnPace::unfinished_wait);
  const Instant due = start + Duration::microseconds(3);
  EXPECT_EQ(pace.after({.unfinished = true}, start, due).until, due);
}

TEST(TurnPace, SpinNeverSleepsAndLetsOthersInWhileItWaits) {
  TurnPace pace(Wait::spin, start);
  const Instant later = start + Duration::seconds(10);
  EXPECT_EQ(pace.after({.log_grew = true}, later, Instant::never()).kind, Kind::none);
  EXPECT_EQ(pace.after({.unfinished = true}, later, Instant::never()).kind, Kind::yield);
  EXPECT_EQ(pace.after({.knows_leader = true}, later, Instant::never()).kind, Kind::yield);
}

}  // namespace
}  // namespace mallard::rsm
