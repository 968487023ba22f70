#include "bridge/core/bridge_core.h"

#include <gtest/gtest.h>

#include <memory>
#include <type_traits>

#include "config/contract/protocol_core.h"
#include "tests/bridge/core/core_storm.h"
#include "tests/bridge/core/core_story.h"

namespace mallard::bridge {
namespace {

static_assert(ProtocolCore<BridgeCore>);
static_assert(std::is_copy_constructible_v<BridgeCore>, "an explorer copies cores");

constexpr ClusterIndex east{0};
constexpr ClusterIndex west{1};

class BridgeCoreStory : public testing::TestWithParam<const char*> {};

TEST_P(BridgeCoreStory, plays) {
  CoreStory story;
  support::run_story(std::string("tests/bridge/core/testdata/core_") + GetParam() + ".txt",
                     [&](const support::StoryCommand& command) { return story.play(command); });
}

INSTANTIATE_TEST_SUITE_P(Stories, BridgeCoreStory, testing::Values("acks", "positions", "violations"));

// ---- Room for effects
// --------------------------------------------------------------------------------------

// Two clusters of the largest size; `links` links in turns from self's cluster and to it.
BridgeSettings large_settings(std::size_t links) {
  BridgeSettings settings;
  settings.self = {east, ReplicaIndex(0)};
  for (const ClusterIndex cluster : {east, west}) {
    ClusterView view{.cluster = cluster, .u = 21, .r = 21};
    for (std::size_t i = 0; i < replicas_max; ++i) {
      view.weights.push_back(1);
    }
    settings.clusters.push_back(view);
  }
  for (std::uint16_t i = 0; i < links; ++i) {
    const bool out = i % 2 == 0;
    settings.links.push_back(
        {.link = LinkIndex(i), .from = out ? east : west, .to = out ? west : east, .window_messages = 64});
  }
  return settings;
}

// A core with its clock. Every call is within the core's limits, or it aborts.
class Driven {
 public:
  explicit Driven(const BridgeSettings& settings) : core(std::make_unique<BridgeCore>(settings)) {}

  const Effects& step(const Event& event) {
    effects->clear();
    core->step(event, now, *effects);
    fullest = std::max(fullest, effects->size());
    return *effects;
  }
  // Serves the deadlines up to now; returns how many releases were ordered.
  std::size_t settle() {
    std::size_t released = 0;
    for (int turn = 0; core->next_deadline() <= now; ++turn) {
      EXPECT_LT(turn, 10'000) << "it asks for deadlines without end";
      if (turn == 10'000) break;
      effects->clear();
      core->on_deadline(now, *effects);
      fullest = std::max(fullest, effects->size());
      released += releases();
    }
    return released;
  }
  [[nodiscard]] std::size_t releases() const {
    std::size_t count = 0;
    for (const Effect& effect : *effects) {
      count += std::holds_alternative<Release>(effect) ? 1U : 0U;
    }
    return count;
  }
  std::size_t report(std::uint16_t replica, LinkIndex link, std::uint64_t durable) {
    FrameArrived event{.from = {west, ReplicaIndex(replica)}};
    event.frame.stamp = stamp_at(now);
    event.frame.acks.push_back({.context = {link, Generation(1), Epoch(1), Epoch(1)},
                                .prefix = BatchNumber(durable),
                                .durable = BatchNumber(durable)});
    step(event);
    return releases();
  }

  std::unique_ptr<BridgeCore> core;
  std::unique_ptr<Effects> effects = std::make_unique<Effects>();
  Instant now = Instant{} + Duration::seconds(1);
  std::size_t fullest = 0;
};

TEST(BridgeCore, everybody_coming_up_and_speaking_at_once_overflows_nothing) {
  Driven driven(large_settings(links_max));
  for (std::uint16_t i = 0; i < links_max; i += 2) {
    driven.step(LogExtent{LinkIndex(i), BatchNumber(1), BatchNumber(5), MessageNumber(5)});
  }
  for (const Peer& peer : driven.core->peers().all()) {
    driven.step(PeerUp{peer.address});
  }
  driven.settle();
  EXPECT_EQ(driven.core->peers().all().size(), 2 * replicas_max - 1);
  // Everybody is owed an acknowledgement of every link at the same time, several times over.
  for (int turn = 0; turn < 5; ++turn) {
    driven.now = driven.now + Duration::seconds(2);
    driven.settle();
    for (std::uint16_t i = 1; i < links_max; i += 2) {
      driven.step(Applied{LinkIndex(i), BatchNumber(static_cast<std::uint64_t>(turn) + 1),
                          MessageNumber(static_cast<std::uint64_t>(turn) + 1)});
    }
    driven.settle();
  }
  for (const Peer& peer : driven.core->peers().all()) {
    EXPECT_GE(peer.last_sent, driven.now - Duration::seconds(1));
  }
  EXPECT_LE(driven.fullest, effects_per_step_max);
  EXPECT_GT(driven.fullest, effects_per_step_max / 2) << "the test did not come near the limit";
}

TEST(BridgeCore, a_large_window_that_is_released_at_once_takes_several_steps) {
  BridgeSettings settings = large_settings(1);
  settings.links[0].window_messages = window_batches_max;
  Driven driven(settings);
  const LinkIndex link(0);
  driven.step(LogExtent{link, BatchNumber(1), BatchNumber(0), MessageNumber(0)});
  for (std::uint16_t i = 0; i < replicas_max; ++i) {
    driven.step(PeerUp{{west, ReplicaIndex(i)}});
    driven.report(i, link, 0);
  }
  std::uint64_t batch = 0;
  while (driven.core->accepts_commit(link)) {
    ++batch;
    driven.step(BatchCommitted{.link = link,
                               .header = {BatchNumber(batch), MessageNumber(batch), 1},
                               .payload = {static_cast<std::uint32_t>(batch), 10}});
  }
  EXPECT_EQ(batch, window_batches_max);
  std::size_t released = 0;
  for (std::uint16_t i = 0; i < 22; ++i) {
    released += driven.report(i, link, batch);
  }
  EXPECT_EQ(driven.core->outbound(link)->quacked(), BatchNumber(batch));
  EXPECT_LT(released, batch);
  released += driven.settle();
  EXPECT_EQ(released, batch);
  EXPECT_TRUE(driven.core->accepts_commit(link));
  EXPECT_EQ(driven.core->outbound(link)->window_bytes(), 0U);
}

TEST(BridgeCore, a_loss_behind_a_large_release_is_asked_about_as_early_as_any_other) {
  BridgeSettings settings = large_settings(1);
  settings.links[0].window_messages = 4096;
  Driven driven(settings);
  const LinkIndex link(0);
  driven.step(LogExtent{link, BatchNumber(1), BatchNumber(0), MessageNumber(0)});
  for (std::uint16_t i = 0; i < replicas_max; ++i) {
    driven.step(PeerUp{{west, ReplicaIndex(i)}});
    driven.report(i, link, 0);
  }
  std::uint64_t batch = 0;
  while (driven.core->accepts_commit(link)) {
    ++batch;
    driven.step(BatchCommitted{.link = link,
                               .header = {BatchNumber(batch), MessageNumber(batch), 1},
                               .payload = {static_cast<std::uint32_t>(batch), 10}});
  }
  const Instant committed = driven.now;
  driven.now = driven.now + Duration::milliseconds(50);
  std::size_t released = 0;
  for (std::uint16_t i = 0; i < 22; ++i) {
    released += driven.report(i, link, batch - 1);
  }
  released += driven.settle();
  EXPECT_EQ(released, batch - 1);
  const OutboundLink& outbound = *driven.core->outbound(link);
  EXPECT_EQ(outbound.counters().probes_sent, 0U);
  EXPECT_LE(outbound.next_deadline(), committed + outbound.rto() + Duration::microseconds(1));
}

TEST(BridgeCore, a_question_that_finds_no_room_is_asked_as_soon_as_there_is_some) {
  Driven driven(large_settings(links_max));
  for (std::uint16_t i = 0; i < links_max; i += 2) {
    driven.step(LogExtent{LinkIndex(i), BatchNumber(1), BatchNumber(0), MessageNumber(0)});
  }
  for (std::uint16_t r = 0; r < replicas_max; ++r) {
    driven.step(PeerUp{{west, ReplicaIndex(r)}});
    for (std::uint16_t i = 0; i < links_max; i += 2) {
      driven.report(r, LinkIndex(i), 0);
    }
  }
  for (std::uint16_t i = 0; i < links_max; i += 2) {
    driven.step(BatchCommitted{.link = LinkIndex(i),
                               .header = {BatchNumber(1), MessageNumber(1), 1},
                               .payload = {static_cast<std::uint32_t>(i + 1), 10}});
  }
  // Every link asks every replica in the same instant, more than fits in one step.
  driven.now = driven.now + Duration::milliseconds(101);
  driven.settle();
  for (std::uint16_t i = 0; i < links_max; i += 2) {
    EXPECT_GT(driven.core->outbound(LinkIndex(i))->counters().probes_sent, 0U) << "link " << i;
  }
}

TEST(BridgeCore, links_that_are_overtaken_while_they_hold_much_overflow_nothing) {
  constexpr std::uint16_t links = 32;
  Driven driven(large_settings(2 * links));
  for (std::uint16_t i = 0; i < 2 * links; i += 2) {
    driven.step(LogExtent{LinkIndex(i), BatchNumber(1), BatchNumber(0), MessageNumber(0)});
  }
  std::size_t given = 0;
  std::size_t released = 0;
  for (std::uint16_t r = 0; r < replicas_max; ++r) {
    driven.step(PeerUp{{west, ReplicaIndex(r)}});
    for (std::uint16_t i = 0; i < 2 * links; i += 2) {
      driven.report(r, LinkIndex(i), 0);
    }
  }
  for (std::uint16_t i = 0; i < 2 * links; i += 2) {
    for (std::uint64_t batch = 1; driven.core->accepts_commit(LinkIndex(i)); ++batch, ++given) {
      driven.step(BatchCommitted{.link = LinkIndex(i),
                                 .header = {BatchNumber(batch), MessageNumber(batch), 1},
                                 .payload = {static_cast<std::uint32_t>(given), 10}});
    }
    driven.step(LogExtent{LinkIndex(i), BatchNumber(1), BatchNumber(900), MessageNumber(900)});
  }
  EXPECT_EQ(given, std::size_t{links} * 64);
  // Three links in each frame: all three jump to 900 at once, with 64 bodies to give back each.
  for (std::uint16_t r = 0; r < replicas_max; ++r) {
    for (std::uint16_t i = 0; i + 4 < 2 * links; i += 6) {
      FrameArrived event{.from = {west, ReplicaIndex(r)}};
      event.frame.stamp = stamp_at(driven.now);
      for (std::uint16_t k = 0; k < 6; k += 2) {
        event.frame.acks.push_back(
            {.context = {LinkIndex(static_cast<std::uint16_t>(i + k)), Generation(1), Epoch(1), Epoch(1)},
             .prefix = BatchNumber(900),
             .durable = BatchNumber(900)});
      }
      driven.step(event);
      released += driven.releases();
    }
  }
  released += driven.settle();
  EXPECT_EQ(released, std::size_t{30} * 64);
  for (std::uint16_t i = 0; i < 60; i += 2) {
    EXPECT_EQ(driven.core->outbound(LinkIndex(i))->admitted(), BatchNumber(900));
  }
}

// ---- Storms
// ------------------------------------------------------------------------------------------------

class BridgeCoreStorm : public testing::TestWithParam<std::uint64_t> {};

TEST_P(BridgeCoreStorm, keeps_every_promise_to_its_shell) {
  CoreStorm storm(GetParam());
  storm.rage(40'000);
  EXPECT_EQ(storm.faults(), "");
  storm.calm_down();
  EXPECT_EQ(storm.faults(), "");
  EXPECT_EQ(storm.payloads_owned(), 0U);
  EXPECT_GT(storm.payloads_given(), 5'000U);
  EXPECT_GT(storm.batches_applied(), 300U);
  EXPECT_GT(storm.batches_quacked(), 300U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BridgeCoreStorm, testing::Range<std::uint64_t>(1, 13));

TEST(BridgeCore, the_same_storm_gives_the_same_effects) {
  CoreStorm one(77);
  CoreStorm other(77);
  CoreStorm different(78);
  one.rage(5'000);
  other.rage(5'000);
  different.rage(5'000);
  EXPECT_EQ(one.digest(), other.digest());
  EXPECT_NE(one.digest(), different.digest());
}

TEST(BridgeCoreDeathTest, time_going_back_is_our_bug) {
  Driven driven(large_settings(1));
  driven.step(PeerUp{{west, ReplicaIndex(0)}});
  driven.now = driven.now - Duration::nanoseconds(1);
  EXPECT_DEATH(driven.step(PeerDown{{west, ReplicaIndex(0)}}), "now >= now_");
}

}  // namespace
}  // namespace mallard::bridge
