// What Mallard promises in figures, each in a world of its own: no resend while nothing is lost, quick
// recovery of one lost copy, resends in proportion to losses, numbers near the edges of their types,
// restarts, and memory that hostile peers cannot stretch.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/world.h"

namespace mallard::sim {
namespace {

ClusterOptions cluster_of(std::uint16_t index, std::size_t n, Weight u, Weight r) {
  ClusterOptions cluster;
  cluster.view.cluster = ClusterIndex(index);
  cluster.view.u = u;
  cluster.view.r = r;
  for (std::size_t i = 0; i < n; ++i) {
    cluster.view.weights.push_back(1);
  }
  return cluster;
}

// Four replicas to four, a local network, one link of 400 batches.
SwarmOptions plain_world() {
  SwarmOptions options;
  options.clusters = {cluster_of(0, 4, 1, 1), cluster_of(1, 4, 1, 1)};
  LinkShape link;
  link.from = 0;
  link.to = 1;
  link.context = {LinkIndex(0), Generation(1), Epoch(1), Epoch(1)};
  link.batches = 400;
  link.messages_max = 8;
  link.salt = 7;
  link.window_messages = 512;
  link.window_bytes = 4U << 20;
  options.links = {link};
  options.pool_bytes = 16U << 20;
  return options;
}

struct Played {
  Outcome outcome;
  Marks marks;
};

Played play(const SwarmOptions& options, std::uint64_t seed) {
  Choices choices(seed);
  Played played;
  World world(options, choices, played.marks);
  played.outcome = world.run();
  EXPECT_EQ(played.outcome.failure.checker, "") << "seed " << seed << ": " << played.outcome.failure.detail;
  return played;
}

TEST(Scenarios, NothingIsSentTwiceHoweverItIsReordered) {
  SwarmOptions options = plain_world();
  options.healthy = true;
  options.network.reorder = true;
  options.network.delay_spread = 40 * millisecond;  // far more than the time between two batches
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Played played = play(options, seed);
    EXPECT_EQ(played.outcome.resends, 0U);
    EXPECT_EQ(played.outcome.batch_frames_sent, played.outcome.batches);
    EXPECT_GT(played.marks.count(Mark::fault_reorder), 1000U);
  }
}

// When each batch was first sent to the other cluster and when a copy first arrived there.
class ArrivalTimes final : public Checker {
 public:
  ArrivalTimes(Stage& stage, const Replicas& replicas)
      : Checker(stage, replicas, "arrival_times"),
        sent(stage.links[0].shape().batches + 2),
        arrived(stage.links[0].shape().batches + 2) {}

  void on_sent(const Passage& passage) override { note(passage, sent); }
  void on_received(const Passage& passage) override { note(passage, arrived); }

  std::vector<Nanos> sent;
  std::vector<Nanos> arrived;

 private:
  void note(const Passage& passage, std::vector<Nanos>& times) {
    if (passage.frame.has_batch && passage.from.address.cluster != passage.to.address.cluster) {
      Nanos& time = times[truth(0).index_of(passage.frame.batch.header.batch)];
      time = time == 0 ? stage_.now : time;
    }
  }
};

TEST(Scenarios, OneLostCopyIsThereWithinTwoRto) {
  SwarmOptions options = plain_world();
  options.links[0].batches = 100;
  std::vector<Nanos> recoveries;
  for (std::uint64_t lost = 0; lost < 100; ++lost) {
    Choices choices(lost + 1);
    Marks marks;
    World world(options, choices, marks);
    auto watcher = std::make_unique<ArrivalTimes>(world.stage(), world.replicas());
    const ArrivalTimes& times = *watcher;
    world.watchers().add(std::move(watcher));
    world.network().lose_batch_frame(lost);
    const Outcome outcome = world.run();
    ASSERT_EQ(outcome.failure.checker, "") << outcome.failure.detail;
    ASSERT_EQ(outcome.batch_frames_lost, 1U);
    EXPECT_EQ(outcome.resends, 1U) << "frame " << lost;
    Nanos longest = 0;
    for (std::size_t i = 1; i <= options.links[0].batches; ++i) {
      longest = std::max(longest, times.arrived[i] - times.sent[i]);
    }
    recoveries.push_back(longest);
  }
  std::sort(recoveries.begin(), recoveries.end());
  EXPECT_LE(recoveries[98], 2 * static_cast<Nanos>(options.rto_min.ns));
}

TEST(Scenarios, ResendsFollowLosses) {
  for (const std::uint64_t loss : {10U, 50U, 200U}) {
    SwarmOptions options = plain_world();
    options.links[0].batches = 2000;
    options.links[0].commit_interval = 4 * millisecond;
    options.network.loss = loss;
    const Outcome outcome = play(options, loss).outcome;
    EXPECT_GT(outcome.batch_frames_lost, outcome.batches * loss / 2000);
    EXPECT_LE(static_cast<double>(outcome.resends), 1.05 * static_cast<double>(outcome.batch_frames_lost))
        << loss << " in 1000 lost";
  }
}

TEST(Scenarios, NumbersPassTheEdgesOfTheirTypes) {
  for (const unsigned bits : {31U, 32U, 63U}) {
    SwarmOptions options = plain_world();
    options.links[0].base_batch = (1ULL << bits) - 200;
    options.links[0].base_message = (1ULL << bits) - 900;
    options.network.loss = 20;
    options.faults[static_cast<std::size_t>(Fault::crash)] = true;
    play(options, bits);
  }
}

TEST(Scenarios, RestartsOneAfterAnother) {
  SwarmOptions options = plain_world();
  options.links[0].batches = 1500;
  options.faults[static_cast<std::size_t>(Fault::crash)] = true;
  options.fault_interval = 40 * millisecond;
  const Played played = play(options, 3);
  EXPECT_GT(played.marks.count(Mark::fault_crash), 20U);
}

TEST(Scenarios, AReplicaWithoutItsDiskCatchesUp) {
  SwarmOptions options = plain_world();
  options.faults[static_cast<std::size_t>(Fault::crash_without_disk)] = true;
  const Played played = play(options, 4);
  EXPECT_GT(played.marks.count(Mark::fault_crash_without_disk), 0U);
  EXPECT_GT(played.marks.count(Mark::storage_lost_caught_up), 0U);
  EXPECT_GT(played.marks.count(Mark::pull_served_from_storage), 0U);
}

// Three liars of four replicas on both sides, with 3 of 100 units of stake: they spoil about as many first
// sends, and not three quarters of them.
TEST(Scenarios, LiarsThatOutnumberTheCorrectSpoilNoMoreThanTheirStake) {
  SwarmOptions options = plain_world();
  for (ClusterOptions& cluster : options.clusters) {
    cluster.view.weights[0] = 97;
    cluster.view.u = 33;
    cluster.view.r = 33;
    cluster.byzantine = {1, 2, 3};
  }
  options.clusters[0].strategy = Mark::puppet_silent;
  options.clusters[1].strategy = Mark::puppet_hoard;
  const Played played = play(options, 5);
  EXPECT_GT(played.marks.count(Mark::world_liars_outnumber), 0U);
  EXPECT_GT(played.outcome.resends, 0U);
  EXPECT_LE(played.outcome.resends, options.links[0].batches / 5);
}

// The most that any correct gateway ever had in its pool.
class PoolPeak final : public Checker {
 public:
  PoolPeak(Stage& stage, const Replicas& replicas) : Checker(stage, replicas, "pool_peak") {}

  void on_received(const Passage& passage) override {
    const PayloadPool& pool = passage.to.life->pool;
    if (!passage.to.byzantine) {
      peak = std::max(peak, pool.capacity() - pool.free_bytes());
    }
  }

  std::size_t peak = 0;
};

// A peer that is silent, never acknowledges, acknowledges the future, sends from the future or pulls without
// end: what a gateway holds stays below its windows, whatever goes on (allocations are watched in every run).
TEST(Scenarios, HostilePeersDoNotStretchMemory) {
  for (const Mark liar :
       {Mark::puppet_silent, Mark::puppet_ack_low, Mark::puppet_ack_high, Mark::puppet_wrong_numbers,
        Mark::puppet_early_resend, Mark::puppet_pull_abuse, Mark::puppet_ack_storm}) {
    SwarmOptions options = plain_world();
    options.links[0].bytes_max = 2'000;
    for (ClusterOptions& cluster : options.clusters) {
      cluster.byzantine = {2};
      cluster.strategy = liar;
    }
    Choices choices(static_cast<std::uint64_t>(liar));
    Marks marks;
    World world(options, choices, marks);
    auto watcher = std::make_unique<PoolPeak>(world.stage(), world.replicas());
    const PoolPeak& pool = *watcher;
    world.watchers().add(std::move(watcher));
    const Outcome outcome = world.run();
    EXPECT_EQ(outcome.failure.checker, "") << name_of(liar) << ": " << outcome.failure.detail;
    EXPECT_GT(marks.count(liar), 0U);
    EXPECT_LE(pool.peak, 3 * options.links[0].window_bytes) << name_of(liar);
  }
}

}  // namespace
}  // namespace mallard::sim
