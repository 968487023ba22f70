#include "bridge/gateway/latency_watch.h"

#include <gtest/gtest.h>

#include "tests/support/alloc_guard.h"

namespace mallard::bridge {
namespace {

constexpr LinkIndex out{3};
constexpr LinkIndex in{7};

BridgeSettings settings() {
  BridgeSettings settings;
  settings.links.push_back({.link = out, .window_messages = 100});
  settings.links.push_back({.link = in, .window_messages = 100, .cursor = BatchNumber(10)});
  return settings;
}

Instant at(std::int64_t milliseconds) { return Instant{} + Duration::milliseconds(milliseconds); }

Event committed(std::uint64_t batch) {
  return BatchCommitted{.link = out, .header = {.batch = BatchNumber(batch)}};
}
Effect quacked(std::uint64_t through) { return Quacked{out, BatchNumber(through)}; }
Effect arrived(std::uint64_t batch) {
  return CheckCertificate{.link = in, .header = {.batch = BatchNumber(batch)}};
}
Event applied(std::uint64_t cursor) { return Applied{.link = in, .cursor = BatchNumber(cursor)}; }

TEST(LatencyWatch, counts_from_the_log_to_the_quack) {
  LatencyWatch watch(settings());
  watch.on_event(committed(1), at(5));
  watch.on_event(committed(2), at(8));
  watch.on_event(committed(3), at(9));
  watch.on_effect(quacked(2), at(15));
  EXPECT_EQ(watch.of(out).count(), 2U);
  EXPECT_EQ(watch.of(out).sum(), Duration::milliseconds(10 + 7));
  watch.on_effect(quacked(2), at(100));
  EXPECT_EQ(watch.of(out).count(), 2U);
  watch.on_effect(quacked(3), at(1009));
  EXPECT_EQ(watch.of(out).sum(), Duration::milliseconds(1017));
  EXPECT_EQ(watch.of(in).count(), 0U);
}

TEST(LatencyWatch, counts_from_the_first_copy_to_the_durable_cursor) {
  LatencyWatch watch(settings());
  watch.on_effect(arrived(10), at(1));  // applied in an earlier life
  watch.on_effect(arrived(12), at(2));
  watch.on_effect(arrived(11), at(3));
  watch.on_effect(arrived(12), at(4));
  watch.on_event(applied(12), at(6));
  EXPECT_EQ(watch.of(in).count(), 2U);
  EXPECT_EQ(watch.of(in).sum(), Duration::milliseconds(4 + 3));
}

TEST(LatencyWatch, a_jump_ends_what_was_begun_and_counts_nothing_else) {
  LatencyWatch watch(settings());
  watch.on_event(committed(1), at(5));
  watch.on_effect(quacked(1'000'001), at(9));  // others have, while this replica was away
  EXPECT_EQ(watch.of(out).count(), 1U);
  for (std::uint64_t batch = 1'000'002; batch <= 1'000'200; ++batch) {
    watch.on_event(committed(batch), at(10));
    watch.on_effect(quacked(batch), at(11));
  }
  EXPECT_EQ(watch.of(out).count(), 200U);
  EXPECT_EQ(watch.of(out).sum(), Duration::milliseconds(4 + 199));
}

TEST(LatencyWatch, allocates_nothing_once_it_is_made) {
  LatencyWatch watch(settings());
  const support::AllocGuard guard;
  for (std::uint64_t batch = 1; batch <= 1000; ++batch) {
    watch.on_event(committed(batch), at(static_cast<std::int64_t>(batch)));
    watch.on_effect(quacked(batch), at(static_cast<std::int64_t>(batch) + 1));
  }
  EXPECT_EQ(guard.allocations(), 0U);
  EXPECT_EQ(watch.of(out).count(), 1000U);
}

}  // namespace
}  // namespace mallard::bridge
