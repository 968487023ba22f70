#include "rsm/core/certify/sign_guard.h"

#include <gtest/gtest.h>

namespace mallard::rsm::certify {
namespace {

constexpr Generation first{1};
constexpr Generation second{2};

crypto::Digest root(std::uint8_t name) {
  crypto::Digest digest;
  digest.bytes[0] = name;
  return digest;
}

Mark mark_of(Generation generation, std::uint8_t batch) {
  return {.generation = generation, .floor = {}, .batch = BatchNumber(batch), .root = root(batch)};
}

SignGuard fresh() { return {Mark(), false}; }

TEST(SignGuard, LetsNothingOutBeforeTheMarkIsDurable) {
  SignGuard guard = fresh();
  guard.start(first, BatchNumber(0), root(0));
  EXPECT_FALSE(guard.may_sign(BatchNumber(1)));
  const auto mark = guard.raise(BatchNumber(3), root(3));
  ASSERT_TRUE(mark);
  EXPECT_EQ(*mark, mark_of(first, 3));
  EXPECT_FALSE(guard.may_sign(BatchNumber(1)));
  EXPECT_FALSE(guard.raise(BatchNumber(4), root(4))) << "one at a time";
  guard.persisted();
  EXPECT_TRUE(guard.may_sign(BatchNumber(1)));
  EXPECT_TRUE(guard.may_sign(BatchNumber(3)));
  EXPECT_FALSE(guard.may_sign(BatchNumber(4)));
  EXPECT_FALSE(guard.raise(BatchNumber(3), root(3))) << "it is there";
  EXPECT_TRUE(guard.raise(BatchNumber(4), root(4)));
}

TEST(SignGuard, SignsAgainBelowTheMarkOnceTheChainHasComeToIt) {
  SignGuard guard(mark_of(first, 5), false);
  guard.start(first, BatchNumber(2), root(2));
  EXPECT_EQ(guard.state(), GuardState::behind);
  guard.extend(BatchNumber(3), root(3));
  guard.extend(BatchNumber(4), root(4));
  EXPECT_FALSE(guard.may_sign(BatchNumber(3)));
  EXPECT_FALSE(guard.raise(BatchNumber(4), root(4)));
  guard.extend(BatchNumber(5), root(5));
  EXPECT_EQ(guard.state(), GuardState::open);
  EXPECT_TRUE(guard.may_sign(BatchNumber(3)));
  EXPECT_TRUE(guard.may_sign(BatchNumber(5)));
  EXPECT_FALSE(guard.may_sign(BatchNumber(6)));
}

TEST(SignGuard, RefusesAnotherChainForGood) {
  SignGuard guard(mark_of(first, 5), false);
  guard.start(first, BatchNumber(4), root(4));
  guard.extend(BatchNumber(5), root(55));
  EXPECT_EQ(guard.state(), GuardState::contradicted);
  guard.extend(BatchNumber(6), root(6));
  EXPECT_FALSE(guard.may_sign(BatchNumber(4)));
  EXPECT_FALSE(guard.raise(BatchNumber(6), root(6)));
  guard.start(first, BatchNumber(9), root(9));
  EXPECT_EQ(guard.state(), GuardState::contradicted) << "of this numbering nothing can be known any more";
  guard.start(second, BatchNumber(0), root(0));
  EXPECT_EQ(guard.state(), GuardState::open);
}

TEST(SignGuard, ComparesWhereTheChainBeginsAtTheMark) {
  SignGuard same(mark_of(first, 5), false);
  same.start(first, BatchNumber(5), root(5));
  EXPECT_EQ(same.state(), GuardState::open);
  SignGuard other(mark_of(first, 5), false);
  other.start(first, BatchNumber(5), root(4));
  EXPECT_EQ(other.state(), GuardState::contradicted);
  SignGuard beyond(mark_of(first, 5), false);
  beyond.start(first, BatchNumber(6), root(1));
  EXPECT_EQ(beyond.state(), GuardState::open) << "nothing beyond the mark was ever signed";
}

// It may have signed another batch 5 before, and nothing in the later mark would tell.
TEST(SignGuard, WhatLiesBeforeAChainThatWasNotComparedIsNeverSignedAgain) {
  SignGuard guard(mark_of(first, 5), false);
  guard.start(first, BatchNumber(6), root(66));
  const auto mark = guard.raise(BatchNumber(8), root(88));
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->floor, BatchNumber(6));
  SignGuard next(*mark, false);
  next.start(first, BatchNumber(2), root(22));
  for (std::uint8_t batch = 3; batch <= 8; ++batch) {
    next.extend(BatchNumber(batch), root(static_cast<std::uint8_t>(batch * 11)));
  }
  EXPECT_EQ(next.state(), GuardState::open);
  EXPECT_FALSE(next.may_sign(BatchNumber(5)));
  EXPECT_FALSE(next.may_sign(BatchNumber(6)));
  EXPECT_TRUE(next.may_sign(BatchNumber(7)));
}

TEST(SignGuard, ALostMarkThatIsThereStillBinds) {
  SignGuard guard(mark_of(first, 5), true);
  guard.start(first, BatchNumber(2), root(2));
  guard.confirm(BatchNumber(3));
  EXPECT_EQ(guard.state(), GuardState::behind);
  guard.extend(BatchNumber(5), root(55));
  EXPECT_EQ(guard.state(), GuardState::contradicted);
}

TEST(SignGuard, TheMarkRemembersWhatWasLostBeforeAnythingIsSigned) {
  SignGuard guard(mark_of(first, 5), true);
  guard.start(first, BatchNumber(2), root(2));
  guard.extend(BatchNumber(5), root(5));
  guard.confirm(BatchNumber(3));
  EXPECT_EQ(guard.state(), GuardState::open);
  EXPECT_FALSE(guard.may_sign(BatchNumber(4)));
  const auto mark = guard.raise(BatchNumber(5), root(5));
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->floor, BatchNumber(3));
  guard.persisted();
  EXPECT_TRUE(guard.may_sign(BatchNumber(4)));
  EXPECT_FALSE(guard.may_sign(BatchNumber(3)));
}

TEST(SignGuard, ALaterGenerationBeginsAnewAndAnOlderOneIsRefused) {
  SignGuard guard(mark_of(first, 5), false);
  guard.start(second, BatchNumber(0), root(0));
  EXPECT_EQ(guard.state(), GuardState::open);
  EXPECT_FALSE(guard.may_sign(BatchNumber(1))) << "the mark of another numbering covers nothing";
  ASSERT_TRUE(guard.raise(BatchNumber(1), root(1)));
  guard.persisted();
  EXPECT_TRUE(guard.may_sign(BatchNumber(1)));
  guard.start(first, BatchNumber(5), root(5));
  EXPECT_EQ(guard.state(), GuardState::outdated);
  EXPECT_FALSE(guard.may_sign(BatchNumber(1)));
}

TEST(SignGuard, AMarkUnderWayBindsTheNextChainToo) {
  SignGuard guard = fresh();
  guard.start(first, BatchNumber(0), root(0));
  ASSERT_TRUE(guard.raise(BatchNumber(7), root(7)));
  guard.start(first, BatchNumber(3), root(3));
  EXPECT_EQ(guard.state(), GuardState::behind);
  guard.persisted();
  EXPECT_FALSE(guard.may_sign(BatchNumber(4)));
  guard.extend(BatchNumber(7), root(77));
  EXPECT_EQ(guard.state(), GuardState::contradicted);
}

TEST(SignGuard, WithALostMarkNothingIsSignedThatOthersHaveNotPassed) {
  SignGuard guard(Mark(), true);
  guard.start(first, BatchNumber(2), root(2));
  EXPECT_EQ(guard.state(), GuardState::lost);
  EXPECT_FALSE(guard.raise(BatchNumber(9), root(9)));
  guard.confirm(BatchNumber(6));
  EXPECT_EQ(guard.state(), GuardState::open);
  ASSERT_TRUE(guard.raise(BatchNumber(9), root(9)));
  guard.persisted();
  EXPECT_FALSE(guard.may_sign(BatchNumber(6)));
  EXPECT_TRUE(guard.may_sign(BatchNumber(7)));
  guard.confirm(BatchNumber(8));
  EXPECT_EQ(guard.floor(), BatchNumber(6)) << "only the first counts";
}

}  // namespace
}  // namespace mallard::rsm::certify
