#include "tests/sim/lab/run_shape.h"

#include <gtest/gtest.h>

namespace mallard::lab {
namespace {

RunShape shape_of(Strategy strategy, std::size_t n, std::uint32_t bytes, const NetworkConstants& network) {
  RunShape shape{.strategy = strategy, .from = n, .to = n, .bytes = bytes, .network = &network};
  return shape;
}

// Messages of a megabyte that a NIC, and a pair of the geo network, carries in a second.
double nic_rate(const RunShape& shape) { return 15e9 / 8 / shape.wire_bytes(); }
double pair_rate(const RunShape& shape) { return 170e6 / 8 / shape.wire_bytes(); }

TEST(RunShape, FillsBatchesWithSmallMessagesAndGivesLargeOnesTheirOwn) {
  EXPECT_EQ(shape_of(Strategy::picsou, 4, 100, lan).batch_messages(), 630);
  EXPECT_EQ(shape_of(Strategy::picsou, 4, 100, lan).batch_payload(), 630U * 104);
  EXPECT_EQ(shape_of(Strategy::picsou, 4, 1, lan).batch_messages(), 4096);
  EXPECT_EQ(shape_of(Strategy::picsou, 4, 1'000'000, lan).batch_messages(), 1);
  EXPECT_EQ(shape_of(Strategy::picsou, 4, 1'000'000, lan).wire_bytes(), 1'000'004U + 55 + 6);
}

TEST(RunShape, ClosedFormsOnALanAreThoseOfTheBusiestNic) {
  for (const std::size_t n : {4U, 19U, 64U}) {
    const auto form = [n](Strategy strategy) {
      const RunShape shape = shape_of(strategy, n, 1'000'000, lan);
      return closed_form(shape, 1) / nic_rate(shape);
    };
    const auto size = static_cast<double>(n);
    EXPECT_NEAR(form(Strategy::picsou), 1, 1e-9);
    EXPECT_NEAR(form(Strategy::all_to_all), 1 / size, 1e-9);
    EXPECT_NEAR(form(Strategy::one_shot), size, 1e-9);
    EXPECT_NEAR(form(Strategy::leader_to_leader), 1 / (size - 1), 1e-9);
    EXPECT_NEAR(form(Strategy::leader_to_quorum), 1 / static_cast<double>((n - 1) / 3 + 1), 1e-9);
  }
}

TEST(RunShape, ClosedFormsFarApartAreThoseOfThePairs) {
  const auto form = [](Strategy strategy, std::size_t n) {
    const RunShape shape = shape_of(strategy, n, 1'000'000, geo);
    return closed_form(shape, 1) / pair_rate(shape);
  };
  EXPECT_NEAR(form(Strategy::picsou, 4), 16, 1e-9);
  EXPECT_NEAR(form(Strategy::picsou, 19), 15e9 / 170e6, 1e-6);  // the NIC
  EXPECT_NEAR(form(Strategy::all_to_all, 19), 1, 1e-9);
  EXPECT_NEAR(form(Strategy::one_shot, 19), 19, 1e-9);
  EXPECT_NEAR(form(Strategy::leader_to_leader, 19), 1, 1e-9);
  EXPECT_NEAR(form(Strategy::leader_to_quorum, 19), 19.0 / 7, 1e-9);
}

TEST(RunShape, AProcessorThatIsSlowEnoughIsTheLimit) {
  const RunShape shape = shape_of(Strategy::all_to_all, 4, 1'000'000, lan);
  // The source takes a batch and sends it four times.
  EXPECT_NEAR(closed_form(shape, 1e6), 1e9 / (1e6 * 5), 1e-6);
}

TEST(RunShape, AWindowIsTwiceWhatIsUnderWay) {
  const RunShape shape = shape_of(Strategy::leader_to_leader, 4, 1'000'000, geo);
  // 133 ms of round trip, 0.1 ms inside, 47.06 ms on the pair, six times 0.53 ms at NICs; 21.2 batches a
  // second.
  EXPECT_EQ(window_batches(shape, 1), 8U);
  const RunShape fast = shape_of(Strategy::one_shot, 4, 1'000'000, geo);
  EXPECT_EQ(window_batches(fast, 1), 31U);
}

TEST(RunShape, FaultyAreAtMostUAndNeverTheFirst) {
  for (std::size_t n = 1; n <= 64; ++n) {
    RunShape shape = shape_of(Strategy::picsou, n, 100, lan);
    shape.crash = 0.34;
    shape.byzantine = Byzantine::ack_zero;
    std::size_t crashed = 0;
    std::size_t liars = 0;
    for (std::size_t i = 0; i < n; ++i) {
      crashed += shape.source_crashes(i) ? 1U : 0U;
      liars += shape.destination_misbehaves(i) ? 1U : 0U;
      EXPECT_EQ(shape.source_crashes(i), shape.destination_crashes(i));
      EXPECT_FALSE(shape.source_misbehaves(i));
    }
    EXPECT_EQ(crashed, (n - 1) / 3);
    EXPECT_EQ(liars, (n - 1) / 3);
    EXPECT_FALSE(shape.source_crashes(0));
  }
}

}  // namespace
}  // namespace mallard::lab
