// Two clusters exchange 100,000 batches and more in memory: nothing is allocated, lost, doubled, sent twice
// or kept.
#include "tests/bridge/core/core_exchange.h"

#include <gtest/gtest.h>

#include "tests/support/alloc_guard.h"

namespace mallard::bridge {
namespace {

TEST(CoreExchange, allocates_nothing_and_sends_each_batch_once) {
  constexpr std::uint64_t batches = 100'000;
  for (const bool codec : {false, true}) {
    const support::AllocGuard construction;
    CoreExchange exchange({.window_messages = 4096, .codec = codec});
    EXPECT_GT(construction.allocations(), 0U) << "the guard does not count";
    const support::AllocGuard guard;
    const bool finished = exchange.run_until(batches) && exchange.drain();
    EXPECT_EQ(guard.allocations(), 0U);
    ASSERT_TRUE(finished);
    EXPECT_GE(exchange.applied(), batches);
    EXPECT_EQ(exchange.applied_wrongly(), 0U);
    EXPECT_EQ(exchange.traffic().copies, exchange.quacked());
    EXPECT_EQ(exchange.traffic().resends, 0U);
    EXPECT_EQ(exchange.traffic().without_room, 0U);
    EXPECT_EQ(exchange.references_owned(), 0);
  }
}

TEST(CoreExchange, allocates_nothing_while_frames_are_lost) {
  constexpr std::uint64_t batches = 100'000;
  CoreExchange exchange({.window_messages = 4096, .loss_in_million = 10'000});
  const support::AllocGuard guard;
  const bool finished = exchange.run_until(batches) && exchange.drain();
  EXPECT_EQ(guard.allocations(), 0U);
  ASSERT_TRUE(finished);
  EXPECT_EQ(exchange.applied_wrongly(), 0U);
  EXPECT_EQ(exchange.references_owned(), 0);
  const Traffic traffic = exchange.traffic();
  EXPECT_GT(traffic.batches_lost, batches / 200);
  EXPECT_LE(static_cast<double>(traffic.resends), 1.05 * static_cast<double>(traffic.batches_lost));
}

TEST(CoreExchange, large_batches_and_more_replicas_do_too) {
  CoreExchange exchange({.replicas = 7, .messages_per_batch = 128, .loss_in_million = 1'000});
  const support::AllocGuard guard;
  const bool finished = exchange.run_until(20'000) && exchange.drain();
  EXPECT_EQ(guard.allocations(), 0U);
  ASSERT_TRUE(finished);
  EXPECT_EQ(exchange.applied_wrongly(), 0U);
  EXPECT_EQ(exchange.references_owned(), 0);
}

// One replica of each cluster with most of the stake, or so much that the others never come first.
TEST(CoreExchange, whales_do_too) {
  constexpr std::uint64_t batches = 20'000;
  for (const Weight whale : {Weight{97}, Weight{1} << 60}) {
    CoreExchange exchange({.replicas = 5, .whale = whale, .window_messages = 4096});
    const support::AllocGuard guard;
    const bool finished = exchange.run_until(batches) && exchange.drain();
    EXPECT_EQ(guard.allocations(), 0U);
    ASSERT_TRUE(finished);
    EXPECT_EQ(exchange.applied_wrongly(), 0U);
    EXPECT_EQ(exchange.traffic().copies, exchange.quacked());
    EXPECT_EQ(exchange.traffic().resends, 0U);
    EXPECT_EQ(exchange.references_owned(), 0);
  }
}

TEST(CoreExchange, numbers_pass_every_boundary) {
  for (const std::uint64_t boundary : {1ULL << 31, 1ULL << 32, 1ULL << 63}) {
    for (const std::uint64_t loss : {0U, 20'000U}) {
      const std::uint64_t start = boundary - 700;
      CoreExchange exchange({.window_messages = 256, .loss_in_million = loss, .start = start});
      ASSERT_TRUE(exchange.run_until(start + 3'000) && exchange.drain()) << boundary;
      EXPECT_EQ(exchange.applied_wrongly(), 0U);
      EXPECT_EQ(exchange.references_owned(), 0);
      const Traffic traffic = exchange.traffic();
      if (loss == 0) {
        EXPECT_EQ(traffic.copies, exchange.quacked() - start);
      } else {
        EXPECT_GT(traffic.resends, 0U);
      }
    }
  }
}

}  // namespace
}  // namespace mallard::bridge
