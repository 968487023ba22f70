// Small runs: that each strategy carries what it can, that faults are what they should be, and that a run is
// the same each time. What the figures are on large ones is for `mallard bench c3b`.
#include "tests/sim/lab/exchange.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::lab {
namespace {

constexpr double event_ns = 500;
constexpr std::array all{Strategy::picsou, Strategy::all_to_all, Strategy::one_shot,
                         Strategy::leader_to_leader, Strategy::leader_to_quorum};

RunShape small(Strategy strategy, const NetworkConstants& network = lan) {
  RunShape shape{.strategy = strategy, .bytes = 100'000, .network = &network};
  shape.measured_batches = 600;
  return shape;
}

TEST(Exchange, EveryStrategyReachesItsClosedForm) {
  for (const NetworkConstants* network : {&lan, &geo}) {
    for (const Strategy strategy : all) {
      RunShape shape = small(strategy, *network);
      shape.measured_batches = 0;  // some windows: they are large where it is far
      const RunFigures figures = run_exchange(shape, event_ns);
      EXPECT_EQ(figures.problem, "") << word_of(strategy);
      EXPECT_GE(figures.messages_per_second, 0.95 * figures.closed_form) << word_of(strategy);
      EXPECT_LE(figures.messages_per_second, 1.1 * figures.closed_form) << word_of(strategy);
      EXPECT_EQ(figures.resends_per_message, 0) << word_of(strategy);
    }
  }
}

TEST(Exchange, CopiesAndHeadersAreThoseOfTheStrategy) {
  const auto copies = [](Strategy strategy) {
    return run_exchange(small(strategy), event_ns).copies_per_message;
  };
  EXPECT_EQ(copies(Strategy::picsou), 1);
  EXPECT_EQ(copies(Strategy::all_to_all), 16);
  EXPECT_EQ(copies(Strategy::one_shot), 1);
  EXPECT_EQ(copies(Strategy::leader_to_leader), 1);
  EXPECT_EQ(copies(Strategy::leader_to_quorum), 2);
  EXPECT_EQ(run_exchange(small(Strategy::picsou), event_ns).header_bytes_per_message, 55);
}

TEST(Exchange, OnlyPicsouHasAQuackAndNothingIsFasterThanTheWay) {
  for (const Strategy strategy : all) {
    const RunFigures figures = run_exchange(small(strategy, geo), event_ns);
    EXPECT_EQ(figures.quack_ms_p50.has_value(), strategy == Strategy::picsou);
    ASSERT_TRUE(figures.delivery_ms_p50.has_value());
    EXPECT_GT(*figures.delivery_ms_p50, 66.5);
    EXPECT_LE(*figures.delivery_ms_p50, *figures.delivery_ms_p99);
    if (figures.quack_ms_p50) {
      EXPECT_GT(*figures.quack_ms_p50, 133);
      EXPECT_LE(*figures.quack_ms_p50, *figures.quack_ms_p99);
    }
  }
}

TEST(Exchange, TheSameRunHasTheSameFigures) {
  const RunFigures first = run_exchange(small(Strategy::picsou), event_ns);
  const RunFigures second = run_exchange(small(Strategy::picsou), event_ns);
  EXPECT_EQ(first.frames, second.frames);
  EXPECT_EQ(first.messages_per_second, second.messages_per_second);
  EXPECT_EQ(first.quack_ms_p99, second.quack_ms_p99);
}

TEST(Exchange, ProcessorTimeCounts) {
  RunShape shape = small(Strategy::all_to_all);
  const RunFigures once = run_exchange(shape, event_ns);
  shape.cpu_factor = 2;
  const RunFigures twice = run_exchange(shape, event_ns);
  EXPECT_NEAR(twice.cpu_ns_per_message, 2 * once.cpu_ns_per_message, 0.01 * once.cpu_ns_per_message);
  // Slow enough to be the limit: five events at each source for a batch.
  EXPECT_NEAR(run_exchange(shape, 100'000).messages_per_second, 1e9 / (5 * 200'000), 25);
}

TEST(Exchange, ACrashedThirdStopsNobodyWhoHasC3b) {
  for (const Strategy strategy : all) {
    RunShape shape = small(strategy);
    shape.from = shape.to = 7;
    shape.crash = 0.34;
    const RunFigures figures = run_exchange(shape, event_ns);
    EXPECT_EQ(figures.problem, "") << word_of(strategy);
    EXPECT_GT(figures.messages_per_second, 0) << word_of(strategy);
  }
}

TEST(Exchange, SilentAndLyingReceiversStopNobody) {
  for (const Byzantine behaviour :
       {Byzantine::silent, Byzantine::ack_zero, Byzantine::ack_infinite, Byzantine::ack_delay}) {
    RunShape shape = small(Strategy::picsou);
    shape.byzantine = behaviour;
    const RunFigures figures = run_exchange(shape, event_ns);
    EXPECT_EQ(figures.problem, "") << word_of(behaviour);
    if (behaviour != Byzantine::silent) {
      EXPECT_EQ(figures.resends_per_message, 0) << word_of(behaviour);
    }
  }
}

TEST(Exchange, LeaderToQuorumGetsAnotherLeaderAndLeaderToLeaderDoesNot) {
  RunShape shape = small(Strategy::leader_to_quorum);
  shape.crash_leader = true;
  const RunFigures changed = run_exchange(shape, event_ns);
  EXPECT_EQ(changed.problem, "");
  EXPECT_GE(changed.messages_per_second, 0.95 * changed.closed_form);
  shape.strategy = Strategy::leader_to_leader;
  EXPECT_NE(run_exchange(shape, event_ns).problem, "");
}

TEST(Exchange, MeasuresWhatAnEventOfTheCoreCosts) {
  const double ns = measure_event_ns(small(Strategy::picsou));
  EXPECT_GT(ns, 1);
  EXPECT_LT(ns, 1e6);
}

}  // namespace
}  // namespace mallard::lab
