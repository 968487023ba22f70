#include "transport/memory/shm/work_ring.h"

#include <gtest/gtest.h>

#include <vector>

namespace mallard::memory {
namespace {

constexpr std::size_t payload = 4096;

class WorkRingTest : public testing::Test {
 protected:
  std::vector<std::uint64_t> words = std::vector<std::uint64_t>(WorkRing::bytes_for(payload) / word_bytes);
  WorkRing ring{std::as_writable_bytes(std::span(words))};
};

TEST_F(WorkRingTest, carries_works_there_and_outcomes_back) {
  const RingWork order{2, 63, 3, 4, 5, 6, 7, 8};
  RingWork taken;
  RingOutcome outcome;
  const std::uint64_t sequence = WorkRing::sequence(1, 1);
  EXPECT_FALSE(ring.take(sequence, taken));
  ring.put(sequence, order);
  ASSERT_TRUE(ring.take(sequence, taken));
  EXPECT_EQ(taken, order);
  EXPECT_FALSE(ring.take_outcome(sequence, outcome));
  ring.put_outcome(sequence, {WorkStatus::fenced, 9});
  ASSERT_TRUE(ring.take_outcome(sequence, outcome));
  EXPECT_EQ(outcome, (RingOutcome{WorkStatus::fenced, 9}));
}

TEST_F(WorkRingTest, nothing_of_another_incarnation_or_lap_is_taken) {
  RingWork taken;
  RingOutcome outcome;
  ring.put(WorkRing::sequence(1, 1), RingWork{});
  ring.put_outcome(WorkRing::sequence(1, 1), {WorkStatus::ok, 0});
  EXPECT_FALSE(ring.take(WorkRing::sequence(2, 1), taken));
  EXPECT_FALSE(ring.take(WorkRing::sequence(1, 1 + WorkRing::slots), taken));
  EXPECT_FALSE(ring.take_outcome(WorkRing::sequence(2, 1), outcome));
}

TEST_F(WorkRingTest, slots_do_not_overlap) {
  for (std::uint64_t n = 1; n <= WorkRing::slots; ++n) {
    ring.put(WorkRing::sequence(1, n), RingWork{0, 0, n, n, n, n, n, n});
    ring.put_outcome(WorkRing::sequence(1, n), {WorkStatus::ok, n});
  }
  for (std::uint64_t n = 1; n <= WorkRing::slots; ++n) {
    RingWork taken;
    RingOutcome outcome;
    ASSERT_TRUE(ring.take(WorkRing::sequence(1, n), taken));
    ASSERT_TRUE(ring.take_outcome(WorkRing::sequence(1, n), outcome));
    EXPECT_EQ(taken.desired, n);
    EXPECT_EQ(outcome.previous, n);
  }
  EXPECT_EQ(ring.payload().size(), payload);
  EXPECT_EQ(load_word(ring.payload(), 0), 0U);
}

TEST_F(WorkRingTest, an_outcome_that_does_not_exist_is_unknown) {
  const std::uint64_t sequence = WorkRing::sequence(1, 1);
  ring.put_outcome(sequence, {static_cast<WorkStatus>(77), 0});
  RingOutcome outcome;
  ASSERT_TRUE(ring.take_outcome(sequence, outcome));
  EXPECT_EQ(outcome.status, WorkStatus::unknown);
}

TEST_F(WorkRingTest, both_sides_agree_on_an_incarnation) {
  ring.begin_incarnation(7);
  EXPECT_EQ(ring.wanted_incarnation(), 7U);
  EXPECT_EQ(ring.served_incarnation(), 0U);
  ring.serve_incarnation(7);
  EXPECT_EQ(ring.served_incarnation(), 7U);
}

}  // namespace
}  // namespace mallard::memory
