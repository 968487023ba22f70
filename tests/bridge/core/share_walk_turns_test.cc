// Whose turn it is at a batch, and a twin of the walk. What walks cover is in share_walk_test.cc.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <vector>

#include "bridge/core/share_walk.h"
#include "config/base/prng.h"

namespace mallard::bridge {
namespace {

using Weights = std::vector<Weight>;

ClusterView cluster_of(const Weights& weights, Weight u) {
  ClusterView view;
  view.u = u;
  for (const Weight weight : weights) {
    view.weights.push_back(weight);
  }
  return view;
}

std::vector<Pair> walk_of(const ShareWalk& walk, BatchNumber batch) {
  std::vector<Pair> pairs;
  for (std::size_t attempt = 0; attempt < walk.length(batch); ++attempt) {
    pairs.push_back(walk.pair(batch, attempt));
  }
  return pairs;
}

// By sender and receiver: how many of `count` batches after `base` they send first.
using Meetings = std::map<std::array<std::uint16_t, 2>, std::uint64_t>;

Meetings meetings(const ShareWalk& walk, std::uint64_t base, std::uint64_t count) {
  Meetings met;
  for (std::uint64_t k = base + 1; k <= base + count; ++k) {
    const Pair pair = walk.first(BatchNumber(k));
    ++met[{pair.sender.value, pair.receiver.value}];
  }
  return met;
}

TEST(ShareWalkTurns, SendersAndReceiversTakeTurns) {
  const ClusterView four = cluster_of({1, 1, 1, 1}, 1);
  const ShareWalk walk(four, four);
  // Picsou, figure 1: messages 1 to 4 go to the opposite replica, 5 to 8 one further.
  for (std::uint16_t i = 0; i < 4; ++i) {
    EXPECT_EQ(walk.first(BatchNumber(1U + i)), (Pair{ReplicaIndex(i), ReplicaIndex(i)}));
    EXPECT_EQ(walk.first(BatchNumber(5U + i)),
              (Pair{ReplicaIndex(i), ReplicaIndex(static_cast<std::uint16_t>((i + 1) % 4))}));
  }
}

TEST(ShareWalkTurns, EverySenderMeetsEveryReceiverOnceInATurn) {
  for (std::size_t from = 1; from <= 9; ++from) {
    for (std::size_t to = 1; to <= 9; ++to) {
      const ShareWalk walk(cluster_of(Weights(from, 1), 0), cluster_of(Weights(to, 1), 0));
      for (const std::uint64_t turns : {std::uint64_t{0}, (std::uint64_t{1} << 32) / (from * to)}) {
        const std::uint64_t base = turns * from * to;
        ASSERT_EQ(meetings(walk, base, from * to).size(), from * to);
      }
    }
  }
}

TEST(ShareWalkTurns, StakesMeetAsOftenAsTheyMultiply) {
  Prng random(8);
  for (int turn = 0; turn < 200; ++turn) {
    std::array<Weights, 2> weights;
    for (Weights& side : weights) {
      for (std::uint64_t i = random.between(1, 6); i > 0; --i) {
        side.push_back(random.between(1, 5));
      }
    }
    const ShareWalk walk(cluster_of(weights[0], 0), cluster_of(weights[1], 0));
    const std::uint64_t period = walk.senders().slots() * walk.receivers().slots();
    const Meetings met = meetings(walk, period * random.below(1U << 30), period);
    for (std::uint16_t s = 0; s < weights[0].size(); ++s) {
      for (std::uint16_t d = 0; d < weights[1].size(); ++d) {
        ASSERT_EQ(met.at({s, d}),
                  walk.senders().slots_of(ReplicaIndex(s)) * walk.receivers().slots_of(ReplicaIndex(d)));
      }
    }
  }
}

// Three liars that hold 3 of 100 spoil 3 of 100 first sends on each side, not three quarters of them.
TEST(ShareWalkTurns, HeadsWithoutStakeSpoilNoMoreThanTheirWeight) {
  const ClusterView whale = cluster_of({1, 97, 1, 1}, 49);
  const ShareWalk walk(whale, whale);
  const Meetings met = meetings(walk, 0, 10'000);
  EXPECT_EQ(met.at({1, 1}), 97U * 97U);
  EXPECT_EQ(met.size(), 16U);
}

// The twin: all shares of a side in one row, from the one that starts on; the rows side by side.
std::vector<Pair> walk_slowly(const ClusterView& source, const ClusterView& destination, Pair start) {
  const auto row_of = [](const ClusterView& cluster, std::size_t first, Weight scale) {
    std::vector<ReplicaIndex> row;
    for (std::size_t step = 0; step < cluster.size(); ++step) {
      const auto replica = static_cast<std::uint16_t>((first + step) % cluster.size());
      row.insert(row.end(), cluster.weights[replica] * scale, ReplicaIndex(replica));
    }
    return row;
  };
  const std::vector<ReplicaIndex> senders = row_of(source, start.sender.value, destination.total());
  const std::vector<ReplicaIndex> receivers = row_of(destination, start.receiver.value, source.total());
  std::vector<Pair> pairs;
  for (std::size_t share = 0; share <= source.u * destination.total() + destination.u * source.total();
       ++share) {
    const Pair pair{senders.at(share), receivers.at(share)};
    if (pairs.empty() || !(pairs.back() == pair)) {
      pairs.push_back(pair);
    }
  }
  return pairs;
}

TEST(ShareWalkTurns, AWalkGoesAlongBothRowsOfShares) {
  Prng random(9);
  for (int turn = 0; turn < 500; ++turn) {
    std::array<ClusterView, 2> sides;
    for (ClusterView& side : sides) {
      Weights weights;
      for (std::uint64_t i = random.between(1, 8); i > 0; --i) {
        weights.push_back(random.between(1, random.below(3) == 0 ? 30 : 4));
      }
      side = cluster_of(weights, 0);
      side.u = random.between(0, (side.total() - 1) / 2);
    }
    const ShareWalk walk(sides[0], sides[1]);
    const BatchNumber batch(random.between(1, 1'000'000));
    ASSERT_EQ(walk_of(walk, batch), walk_slowly(sides[0], sides[1], walk.first(batch)));
  }
}

// Shares of the largest clusters take 126 bits.
TEST(ShareWalkTurns, TheLargestStakesDoNotWrapAround) {
  constexpr Weight w = (1ULL << 57) - 1;
  const ClusterView most = cluster_of(Weights(replicas_max, w), (64 * w - 1) / 2);
  const ShareWalk walk(most, most);
  EXPECT_EQ(walk.longest(), 64U);  // 31 of 64 may be faulty, and of the next ones all but a share
  EXPECT_EQ(walk.senders().slots(), replicas_max);
  constexpr Weight half = 1ULL << 62;
  const ClusterView two = cluster_of({half, half - 1}, half - 1);
  EXPECT_EQ(ShareWalk(two, two).longest(), 3U);
  const ClusterView one = cluster_of({cluster_weight_max}, cluster_weight_max / 2);
  EXPECT_EQ(ShareWalk(one, one).longest(), 1U);
  EXPECT_EQ(ShareWalk(one, two).longest(), 2U);
}

TEST(ShareWalkTurnsDeathTest, AClusterThatItsWeightDoesNotCarryIsOurBug) {
  const ClusterView sound = cluster_of({1, 1, 1}, 1);
  const ClusterView unsound = cluster_of({1, 1, 1}, 2);
  EXPECT_DEATH(ShareWalk(sound, unsound), "is_sound");
  EXPECT_DEATH(ShareWalk(unsound, sound), "is_sound");
}

}  // namespace
}  // namespace mallard::bridge
