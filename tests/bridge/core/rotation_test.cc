#include "bridge/core/rotation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/base/prng.h"

namespace mallard::bridge {
namespace {

using Weights = std::vector<Weight>;

// A cluster whose budget is as large as its stakes allow.
ClusterView cluster_of(const Weights& weights) {
  ClusterView view;
  for (const Weight weight : weights) {
    view.weights.push_back(weight);
  }
  view.u = (view.total() - 1) / 2;
  return view;
}

Rotation rotation_of(const Weights& weights) { return Rotation(cluster_of(weights)); }

// One letter per slot: a for replica 0.
std::string shown(const Rotation& rotation) {
  std::string text;
  for (std::size_t slot = 0; slot < rotation.slots(); ++slot) {
    text += static_cast<char>('a' + rotation.at(slot).value);
  }
  return text;
}

// The order by its definition in whole numbers, without the rotation's short cuts: replica l is owed its next
// slot from slot had * slots / seats on, and wants it before slot (had + 1) * slots / seats; the first to
// want it gets it. Fractions are compared as common multiples of all seats.
std::string shown_slowly(const Rotation& rotation, std::size_t replicas) {
  struct Member {
    std::uint64_t seats = 0;
    std::uint64_t had = 0;
  };
  std::vector<Member> members(replicas);
  for (std::uint16_t i = 0; i < replicas; ++i) {
    members[i].seats = rotation.slots_of(ReplicaIndex(i));
  }
  const std::uint64_t slots = rotation.slots();
  std::string text;
  for (std::uint64_t slot = 0; slot < slots; ++slot) {
    std::vector<std::size_t> owed;
    for (std::size_t i = 0; i < replicas; ++i) {
      if (members[i].had < members[i].seats && members[i].had * slots <= slot * members[i].seats) {
        owed.push_back(i);
      }
    }
    const auto first = std::min_element(owed.begin(), owed.end(), [&](std::size_t a, std::size_t b) {
      return (members[a].had + 1) * slots * members[b].seats <
             (members[b].had + 1) * slots * members[a].seats;
    });
    ++members.at(*first).had;
    text += static_cast<char>('a' + *first);
  }
  return text;
}

// After every slot, every replica has had what it was entitled to so far, to less than one slot.
void expect_even(const Rotation& rotation, std::size_t replicas) {
  const auto slots = static_cast<std::int64_t>(rotation.slots());
  for (std::uint16_t i = 0; i < replicas; ++i) {
    const auto seats = static_cast<std::int64_t>(rotation.slots_of(ReplicaIndex(i)));
    std::int64_t had = 0;
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      had += rotation.at(static_cast<std::size_t>(slot)).value == i ? 1 : 0;
      ASSERT_LT(std::abs(had * slots - seats * (slot + 1)), slots) << shown(rotation) << ", slot " << slot;
    }
    ASSERT_EQ(had, seats);
  }
}

TEST(Rotation, EqualReplicasFollowEachOther) {
  EXPECT_EQ(shown(rotation_of({1, 1, 1, 1})), "abcd");
  EXPECT_EQ(shown(rotation_of({1'000'003, 1'000'003, 1'000'003})), "abc");
  EXPECT_EQ(shown(rotation_of({cluster_weight_max})), "a");
  const Rotation most = rotation_of(Weights(replicas_max, 1ULL << 56));
  ASSERT_EQ(most.slots(), replicas_max);
  for (std::size_t slot = 0; slot < most.slots(); ++slot) {
    EXPECT_EQ(most.at(slot).value, slot);
  }
}

TEST(Rotation, SlotsOfAHeavyReplicaAreSpread) {
  EXPECT_EQ(shown(rotation_of({3, 1, 1})), "abaca");
  EXPECT_EQ(shown(rotation_of({1, 3, 1})), "babcb");
  EXPECT_EQ(shown(rotation_of({2, 4, 6})), "cbcabc");
  EXPECT_EQ(shown(rotation_of({5, 1})), "abaaaa");
  const Rotation whale = rotation_of({97, 1, 1, 1});
  std::vector<std::size_t> light;
  for (std::size_t slot = 0; slot < whale.slots(); ++slot) {
    if (whale.at(slot).value != 0) light.push_back(slot);
  }
  EXPECT_EQ(whale.slots(), 100U);
  EXPECT_EQ(light, (std::vector<std::size_t>{1, 34, 67}));
}

TEST(Rotation, WhoWeighsNextToNothingHasNoTurn) {
  const Rotation rotation = rotation_of({1ULL << 61, 1, 1, 1ULL << 61});
  EXPECT_EQ(rotation.slots(), Rotation::slots_max);
  EXPECT_EQ(rotation.slots_of(ReplicaIndex(0)), 512U);
  EXPECT_EQ(rotation.slots_of(ReplicaIndex(1)), 0U);
  EXPECT_EQ(rotation.slots_of(ReplicaIndex(2)), 0U);
  EXPECT_EQ(rotation.slots_of(ReplicaIndex(3)), 512U);
}

TEST(Rotation, IsEvenForAllSmallStakes) {
  std::size_t rotations = 0;
  for (std::size_t n = 1; n <= 5; ++n) {
    Weights weights(n, 1);
    while (true) {
      const Rotation rotation = rotation_of(weights);
      expect_even(rotation, n);
      ASSERT_FALSE(HasFatalFailure());
      ASSERT_EQ(shown(rotation), shown_slowly(rotation, n));
      for (std::uint16_t i = 0; i < n; ++i) {  // exact: in proportion to the stakes
        ASSERT_EQ(rotation.slots_of(ReplicaIndex(i)) * cluster_of(weights).total(),
                  weights[i] * rotation.slots());
      }
      ++rotations;
      std::size_t i = 0;
      while (i < n && weights[i] == 6) {
        weights[i++] = 1;
      }
      if (i == n) break;
      ++weights[i];
    }
  }
  EXPECT_EQ(rotations, 6U + 36U + 216U + 1296U + 7776U);
}

TEST(Rotation, IsEvenForRandomStakes) {
  Prng random(6);
  for (int turn = 0; turn < 300; ++turn) {
    const std::uint64_t n = random.between(1, random.below(4) == 0 ? 64 : 9);
    const std::uint64_t magnitude = random.between(0, 56);
    Weights weights;
    for (std::uint64_t i = 0; i < n; ++i) {
      weights.push_back(random.between(1, 1ULL << random.between(0, magnitude)));
    }
    const Rotation rotation = rotation_of(weights);
    expect_even(rotation, n);
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_EQ(shown(rotation), shown_slowly(rotation, n));
  }
}

// However faulty weight is split among heads, it has its part of the turns and no more.
TEST(Rotation, SplittingAStakeBringsNoTurns) {
  Weights whole{60, 30};
  Weights split{60};
  split.insert(split.end(), 30, 1);
  const Rotation before = rotation_of(whole);
  const Rotation after = rotation_of(split);
  EXPECT_EQ(before.slots_of(ReplicaIndex(0)) * 3, before.slots() * 2);
  EXPECT_EQ(after.slots_of(ReplicaIndex(0)) * 3, after.slots() * 2);
}

TEST(RotationDeathTest, ClustersThatCannotBeAreOurBug) {
  EXPECT_DEATH(Rotation(ClusterView{}), "is_sound");
  ClusterView cluster = cluster_of({1, 1});
  cluster.weights[1] = cluster_weight_max;
  EXPECT_DEATH(Rotation{cluster}, "is_sound");
}

}  // namespace
}  // namespace mallard::bridge
