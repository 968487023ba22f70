#include "bridge/core/share_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <set>
#include <string>
#include <vector>

#include "bridge/core/quorum.h"
#include "config/base/prng.h"
#include "config/base/uint128.h"

namespace mallard::bridge {
namespace {

using Weights = std::vector<Weight>;

ClusterView cluster_of(const Weights& weights, Weight u, Weight r = 0) {
  ClusterView view;
  view.u = u;
  view.r = r;
  for (const Weight weight : weights) {
    view.weights.push_back(weight);
  }
  return view;
}

// The weight of any fault that a cluster may tolerate at most: 2u + r + 1 <= total with r = 0.
Weight largest_u(const Weights& weights) {
  Weight total = 0;
  for (const Weight weight : weights) {
    total += weight;
  }
  return (total - 1) / 2;
}

// A slot in which each replica has a turn, or no_slot.
constexpr std::size_t no_slot = SIZE_MAX;

std::vector<std::size_t> slots_of(const Rotation& rotation, std::size_t replicas) {
  std::vector<std::size_t> slots(replicas, no_slot);
  for (std::size_t slot = 0; slot < rotation.slots(); ++slot) {
    slots[rotation.at(slot).value] = slot;
  }
  return slots;
}

// The batch that these two slots send first.
BatchNumber batch_of(const ShareWalk& walk, std::size_t sender_slot, std::size_t receiver_slot) {
  const std::size_t width = walk.receivers().slots();
  const std::size_t quantum = (receiver_slot + width - sender_slot % width) % width;
  return BatchNumber(quantum * walk.senders().slots() + sender_slot + 1);
}

std::vector<Pair> walk_of(const ShareWalk& walk, BatchNumber batch) {
  std::vector<Pair> pairs;
  for (std::size_t attempt = 0; attempt < walk.length(batch); ++attempt) {
    pairs.push_back(walk.pair(batch, attempt));
  }
  return pairs;
}

// Every set of replicas that may be faulty together.
std::vector<std::uint64_t> fault_sets(const ClusterView& cluster) {
  std::vector<std::uint64_t> sets;
  for (std::uint64_t mask = 0; mask < 1ULL << cluster.size(); ++mask) {
    if (weight_of(mask, cluster.weights) <= cluster.u) {
      sets.push_back(mask);
    }
  }
  return sets;
}

// Whether some pair has both ends correct under every pair of fault sets: with these senders faulty, the
// receivers of the pairs that are left must weigh more than the receivers that may be faulty.
bool covers(const std::vector<Pair>& pairs, const std::vector<std::uint64_t>& sender_faults,
            const ClusterView& destination) {
  for (const std::uint64_t faulty : sender_faults) {
    std::uint64_t reached = 0;
    for (const Pair pair : pairs) {
      if (((faulty >> pair.sender.value) & 1U) == 0) {
        reached |= 1ULL << pair.receiver.value;
      }
    }
    if (weight_of(reached, destination.weights) <= destination.u) {
      return false;
    }
  }
  return true;
}

// Counts what was checked, so that an enumeration that enumerates nothing is noticed.
struct Coverage {
  std::uint64_t configurations = 0;
  std::uint64_t walks = 0;

  void check(const ClusterView& source, const ClusterView& destination,
             const std::vector<std::uint64_t>& sender_faults) {
    const ShareWalk walk(source, destination);
    ++configurations;
    const std::vector<std::size_t> senders = slots_of(walk.senders(), source.size());
    const std::vector<std::size_t> receivers = slots_of(walk.receivers(), destination.size());
    std::size_t longest = 0;
    for (std::size_t s = 0; s < source.size(); ++s) {
      for (std::size_t d = 0; d < destination.size(); ++d) {
        if (senders[s] == no_slot || receivers[d] == no_slot) {
          continue;  // no batch starts here
        }
        const BatchNumber batch = batch_of(walk, senders[s], receivers[d]);
        const std::vector<Pair> pairs = walk_of(walk, batch);
        longest = std::max(longest, pairs.size());
        ASSERT_EQ(pairs.front().sender.value, s);
        ASSERT_EQ(pairs.front().receiver.value, d);
        ASSERT_EQ(pairs.front(), walk.first(batch));
        ASSERT_LT(pairs.size(), source.size() + destination.size());
        ASSERT_TRUE(covers(pairs, sender_faults, destination))
            << testing::PrintToString(source.weights) << " u=" << source.u << " to "
            << testing::PrintToString(destination.weights) << " u=" << destination.u << ", start " << s << ","
            << d;
        ++walks;
      }
    }
    ASSERT_EQ(walk.longest(), longest);
  }
};

// u = 0 .. the largest possible; for large weights the ends, some in between and around every single weight.
std::vector<Weight> tolerances(const Weights& weights) {
  const Weight top = largest_u(weights);
  std::set<Weight> us;
  if (top <= 16) {
    for (Weight u = 0; u <= top; ++u) {
      us.insert(u);
    }
  } else {
    for (const Weight u : {Weight{0}, Weight{1}, top / 3, top / 2, top - 1, top}) {
      us.insert(u);
    }
    const Weight lightest = *std::min_element(weights.begin(), weights.end());
    us.insert(std::min(top, lightest));
    us.insert(std::min(top, lightest - 1));
  }
  return {us.begin(), us.end()};
}

void check_all(const std::vector<Weights>& sources, const std::vector<Weights>& destinations,
               Coverage& coverage) {
  for (const Weights& from : sources) {
    for (const Weight u_from : tolerances(from)) {
      const ClusterView source = cluster_of(from, u_from);
      const std::vector<std::uint64_t> faults = fault_sets(source);
      for (const Weights& to : destinations) {
        for (const Weight u_to : tolerances(to)) {
          coverage.check(source, cluster_of(to, u_to), faults);
          if (testing::Test::HasFatalFailure()) {
            return;
          }
        }
      }
    }
  }
}

// Whether no rotation of the vector comes before it: since all starts are checked, one rotation stands for
// all.
bool stands_for_its_rotations(const Weights& weights) {
  Weights turned = weights;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    std::rotate(turned.begin(), turned.begin() + 1, turned.end());
    if (turned < weights) {
      return false;
    }
  }
  return true;
}

// All vectors of up to `n` weights of 1 .. `top`, but for rotations.
std::vector<Weights> small_vectors(std::size_t n, Weight top) {
  std::vector<Weights> found;
  for (std::size_t size = 1; size <= n; ++size) {
    Weights weights(size, 1);
    while (true) {
      if (stands_for_its_rotations(weights)) {
        found.push_back(weights);
      }
      std::size_t i = 0;
      while (i < size && weights[i] == top) {
        weights[i++] = 1;
      }
      if (i == size) {
        break;
      }
      ++weights[i];
    }
  }
  return found;
}

// Vectors of n weights of every sort that stakes come in.
std::vector<Weights> shaped_vectors(std::size_t n) {
  constexpr Weight billions = 4'000'000'000'000;
  std::vector<Weights> found;
  for (const Weight whale : {Weight{3}, Weight{100}, billions, Weight{1} << 61}) {
    Weights weights(n, 1);
    weights.back() = whale;
    found.push_back(weights);
    Weights minnow(n, std::min(whale, Weight{1} << 59));
    minnow.back() = 1;
    found.push_back(minnow);
  }
  Weights rising(n);
  Weights doubling(n);
  Weights primes{1'000'003, 999'983, 7, 104'729, 1'299'709, 13, 15'485'863};
  for (std::size_t i = 0; i < n; ++i) {
    rising[i] = i + 1;
    doubling[i] = Weight{1} << (8 * i);
  }
  primes.resize(n);
  found.insert(found.end(), {rising, doubling, primes});
  return found;
}

TEST(ShareWalk, covers_every_unweighted_pair_of_clusters_up_to_7) {
  std::vector<Weights> unit;
  for (std::size_t n = 1; n <= 7; ++n) {
    unit.emplace_back(n, 1);
  }
  Coverage coverage;
  check_all(unit, unit, coverage);
  EXPECT_EQ(coverage.configurations, 256U);  // (1+1+2+2+3+3+4)^2
}

TEST(ShareWalk, covers_every_small_weighting_up_to_5) {
  const std::vector<Weights> vectors = small_vectors(5, 3);
  Coverage coverage;
  check_all(vectors, vectors, coverage);
  EXPECT_GT(coverage.configurations, 100'000U);
}

TEST(ShareWalk, covers_every_weighting_of_ones_and_twos_up_to_7) {
  const std::vector<Weights> vectors = small_vectors(7, 2);
  Coverage coverage;
  check_all(vectors, vectors, coverage);
  EXPECT_GT(coverage.configurations, 50'000U);
}

TEST(ShareWalk, covers_whales_minnows_and_large_stakes_up_to_7) {
  std::vector<Weights> vectors;
  for (std::size_t n = 1; n <= 7; ++n) {
    const std::vector<Weights> shaped = shaped_vectors(n);
    vectors.insert(vectors.end(), shaped.begin(), shaped.end());
    vectors.emplace_back(n, 1);
  }
  Coverage coverage;
  check_all(vectors, vectors, coverage);
  EXPECT_GT(coverage.configurations, 50'000U);
}

// ---- Random clusters of up to 64 replicas ----------------------------------------------------------------

ClusterView random_cluster(Prng& random) {
  const std::uint64_t kind = random.below(100);
  const std::uint64_t n = random.between(1, kind == 0 ? 64 : kind < 15 ? 24 : 10);
  const std::uint64_t magnitude = random.between(0, 56);
  Weights weights;
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::uint64_t shift = random.below(3) == 0 ? random.between(0, magnitude) : magnitude;
    weights.push_back(random.between(1, 1ULL << shift));
  }
  if (random.below(8) == 0) {
    weights[random.below(n)] += 1ULL << random.between(0, 62 - 1);
  }
  const Weight top = largest_u(weights);
  return cluster_of(weights, random.below(3) == 0 ? random.between(0, top) : top);
}

// An adversary that spends a fault budget on a walk. It knows the walk and has strategies rather than time.
class Adversary {
 public:
  Adversary(const ClusterView& source, const ClusterView& destination, const std::vector<Pair>& walk)
      : source_(source), destination_(destination), walk_(walk) {}

  // Whether it can make every pair fail.
  [[nodiscard]] bool defeats(Prng& random) const {
    if (senders_first(in_walk_order(true)) || receivers_first(in_walk_order(false)) ||
        senders_first(by_damage(source_, true)) || receivers_first(by_damage(destination_, false))) {
      return true;
    }
    for (int turn = 0; turn < 4; ++turn) {
      if (senders_first(shuffled(source_.size(), random)) ||
          receivers_first(shuffled(destination_.size(), random))) {
        return true;
      }
    }
    return false;
  }

 private:
  using Order = std::vector<std::size_t>;

  // Fills the budget of one side in this order; then whatever is left must fit the other side's budget.
  [[nodiscard]] static std::uint64_t spend(const ClusterView& cluster, const Order& order) {
    std::uint64_t faulty = 0;
    Weight left = cluster.u;
    for (const std::size_t i : order) {
      if (cluster.weights[i] <= left) {
        left -= cluster.weights[i];
        faulty |= 1ULL << i;
      }
    }
    return faulty;
  }
  [[nodiscard]] bool senders_first(const Order& order) const {
    const std::uint64_t faulty = spend(source_, order);
    std::uint64_t left = 0;
    for (const Pair pair : walk_) {
      left |= ((faulty >> pair.sender.value) & 1U) == 0 ? 1ULL << pair.receiver.value : 0;
    }
    return weight_of(left, destination_.weights) <= destination_.u;
  }
  [[nodiscard]] bool receivers_first(const Order& order) const {
    const std::uint64_t faulty = spend(destination_, order);
    std::uint64_t left = 0;
    for (const Pair pair : walk_) {
      left |= ((faulty >> pair.receiver.value) & 1U) == 0 ? 1ULL << pair.sender.value : 0;
    }
    return weight_of(left, source_.weights) <= source_.u;
  }
  [[nodiscard]] Order in_walk_order(bool senders) const {
    Order order;
    std::uint64_t seen = 0;
    for (const Pair pair : walk_) {
      const std::size_t i = senders ? pair.sender.value : pair.receiver.value;
      if (((seen >> i) & 1U) == 0) {
        order.push_back(i);
        seen |= 1ULL << i;
      }
    }
    return order;
  }
  // Those that spoil the most pairs for their weight come first.
  [[nodiscard]] Order by_damage(const ClusterView& cluster, bool senders) const {
    std::vector<std::uint64_t> pairs(cluster.size());
    for (const Pair pair : walk_) {
      ++pairs[senders ? pair.sender.value : pair.receiver.value];
    }
    Order order(cluster.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = i;
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return static_cast<Uint128>(pairs[a]) * cluster.weights[b] >
             static_cast<Uint128>(pairs[b]) * cluster.weights[a];
    });
    return order;
  }
  [[nodiscard]] static Order shuffled(std::size_t n, Prng& random) {
    Order order(n);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t at = random.below(i + 1);
      order[i] = order[at];
      order[at] = i;
    }
    return order;
  }

  const ClusterView& source_;
  const ClusterView& destination_;
  const std::vector<Pair>& walk_;
};

TEST(ShareWalk, no_adversary_defeats_100_000_random_configurations) {
  Prng random(20'261'121);
  std::size_t largest = 0;
  for (int configuration = 0; configuration < 100'000; ++configuration) {
    const ClusterView source = random_cluster(random);
    const ClusterView destination = random_cluster(random);
    largest = std::max({largest, source.size(), destination.size()});
    const ShareWalk walk(source, destination);
    for (int start = 0; start < 2; ++start) {
      const BatchNumber batch(random.between(1, source.size() * destination.size()));
      const std::vector<Pair> pairs = walk_of(walk, batch);
      ASSERT_LE(pairs.size(), walk.longest());
      ASSERT_FALSE(Adversary(source, destination, pairs).defeats(random))
          << "configuration " << configuration << ", batch " << batch.value;
    }
  }
  EXPECT_EQ(largest, replicas_max);
}

// A walk that is one pair short must be defeated somewhere: else the searches above could not fail.
TEST(ShareWalk, the_searches_notice_a_walk_that_is_one_pair_short) {
  std::uint64_t noticed_by_enumeration = 0;
  std::uint64_t noticed_by_adversary = 0;
  Prng random(1);
  for (std::size_t n = 2; n <= 7; ++n) {
    const ClusterView cluster = cluster_of(Weights(n, 1), (n - 1) / 2);
    const ShareWalk walk(cluster, cluster);
    for (std::uint64_t batch = 1; batch <= n * n; ++batch) {
      std::vector<Pair> pairs = walk_of(walk, BatchNumber(batch));
      pairs.pop_back();
      noticed_by_enumeration += covers(pairs, fault_sets(cluster), cluster) ? 0U : 1U;
      noticed_by_adversary += Adversary(cluster, cluster, pairs).defeats(random) ? 1U : 0U;
    }
  }
  EXPECT_EQ(noticed_by_enumeration, 4U + 9U + 16U + 25U + 36U + 49U);
  EXPECT_EQ(noticed_by_adversary, noticed_by_enumeration);
}

// ---- Known lengths ----------------------------------------------------------------------------------------

enum class Kind { cft, bft };

struct KnownLength {
  Kind from_kind;
  std::size_t from;
  Kind to_kind;
  std::size_t to;
  std::size_t longest;
};

void PrintTo(const KnownLength& known, std::ostream* out) { *out << known.from << " to " << known.to; }

ClusterView unweighted(Kind kind, std::size_t n) {
  const Weight f = kind == Kind::cft ? (n - 1) / 2 : (n - 1) / 3;
  return cluster_of(Weights(n, 1), f, kind == Kind::cft ? 0 : f);
}

class ShareWalkLength : public testing::TestWithParam<KnownLength> {};

TEST_P(ShareWalkLength, is_as_enumerated) {
  const KnownLength known = GetParam();
  const ShareWalk walk(unweighted(known.from_kind, known.from), unweighted(known.to_kind, known.to));
  EXPECT_EQ(walk.longest(), known.longest);
}

// Equal clusters need u_s + u_r + 1, Picsou's bound. Unequal ones need more. Where both clusters' shares lie
// on one line and a walk may start in the middle of a replica's shares, 5 to 7 (CFT to BFT) needs 9 and 4 to
// 10 (BFT) needs 8; our walks start with all shares of both replicas, which saves that one pair.
INSTANTIATE_TEST_SUITE_P(
    Known, ShareWalkLength,
    testing::Values(KnownLength{Kind::cft, 3, Kind::cft, 3, 3}, KnownLength{Kind::cft, 5, Kind::cft, 5, 5},
                    KnownLength{Kind::cft, 7, Kind::cft, 7, 7}, KnownLength{Kind::bft, 4, Kind::bft, 4, 3},
                    KnownLength{Kind::bft, 7, Kind::bft, 7, 5}, KnownLength{Kind::cft, 3, Kind::cft, 5, 6},
                    KnownLength{Kind::cft, 3, Kind::cft, 7, 8}, KnownLength{Kind::cft, 3, Kind::bft, 4, 4},
                    KnownLength{Kind::cft, 5, Kind::bft, 7, 8}, KnownLength{Kind::cft, 5, Kind::bft, 4, 6},
                    KnownLength{Kind::cft, 3, Kind::cft, 9, 8}, KnownLength{Kind::bft, 4, Kind::bft, 10, 7}));

TEST(ShareWalk, all_replicas_agree_on_it) {
  Prng random(3);
  const ClusterView source = random_cluster(random);
  const ClusterView destination = random_cluster(random);
  const ShareWalk one(source, destination);
  const ShareWalk other(source, destination);
  for (const std::uint64_t batch : {1ULL, 2ULL, 1ULL << 31, (1ULL << 32) + 1, (1ULL << 63) + 5}) {
    EXPECT_EQ(walk_of(one, BatchNumber(batch)), walk_of(other, BatchNumber(batch)));
  }
}

TEST(ShareWalk, a_walk_of_small_stakes_against_huge_ones_is_short) {
  // Picsou section 5.3: 4 unit stakes against 4 of a million each need 3 pairings, not a million.
  const ShareWalk walk(cluster_of(Weights(4, 1), 1, 1), cluster_of(Weights(4, 1'000'000), 1'333'333));
  EXPECT_EQ(walk.longest(), 3U);
}

TEST(ShareWalkDeathTest, an_attempt_beyond_the_walk_is_our_bug) {
  const ClusterView three = cluster_of(Weights(3, 1), 1);
  const ShareWalk walk(three, three);
  EXPECT_DEATH(static_cast<void>(walk.pair(BatchNumber(1), 3)), "attempt < length");
}

}  // namespace
}  // namespace mallard::bridge
