#include "crypto/signer_roster.h"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/key_pair.h"

namespace mallard::crypto {
namespace {

std::vector<Signer> signers_of(const std::vector<Weight>& weights) {
  std::vector<Signer> signers;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    std::array<std::byte, seed_bytes> seed{};
    seed[0] = static_cast<std::byte>(i + 1);
    signers.push_back({.key = KeyPair::from_seed(seed).public_key(), .weight = weights[i]});
  }
  return signers;
}

RosterHead budget(Weight u, Weight r) {
  return {.cluster = ClusterIndex(1), .epoch = Epoch(3), .u = u, .r = r};
}

RosterProblem problem_of(const RosterHead& head, const std::vector<Signer>& signers) {
  const auto roster = SignerRoster::make(head, signers);
  EXPECT_FALSE(roster.has_value());
  return roster.has_value() ? RosterProblem{} : roster.error();
}

TEST(SignerRoster, asks_for_one_signer_that_does_not_lie) {
  EXPECT_EQ(SignerRoster::make(budget(1, 1), signers_of({1, 1, 1, 1}))->threshold(), 2U);
  EXPECT_EQ(SignerRoster::make(budget(2, 1), signers_of({1, 1, 1, 1, 1, 1}))->threshold(), 2U);
  EXPECT_EQ(SignerRoster::make(budget(5, 5), signers_of({5, 5, 5, 1}))->threshold(), 6U);
}

TEST(SignerRoster, asks_a_cluster_that_does_not_lie_for_more_than_one_key) {
  EXPECT_EQ(SignerRoster::make(budget(1, 0), signers_of({1, 1, 1}))->threshold(), 2U);
  EXPECT_EQ(SignerRoster::make(budget(0, 0), signers_of({1}))->threshold(), 1U) << "there is only one";
}

// Clusters with trusted memory have 2u + 1 replicas of which u may lie (research/rdma.md 10).
TEST(SignerRoster, takes_every_budget_whose_threshold_the_correct_ones_reach) {
  for (Weight u = 0; u <= 4; ++u) {
    for (Weight r = 0; r <= 4; ++r) {
      for (std::size_t n = 1; n <= 10; ++n) {
        const auto roster = SignerRoster::make(budget(u, r), signers_of(std::vector<Weight>(n, 1)));
        EXPECT_EQ(roster.has_value(), r <= u && n >= 2 * u + 1) << "n " << n << " u " << u << " r " << r;
        if (roster) {
          EXPECT_LE(roster->threshold(), n - u);
        }
      }
    }
  }
}

TEST(SignerRoster, is_never_empty_or_without_weight) {
  EXPECT_EQ(problem_of(budget(0, 0), {}), RosterProblem::no_members);
  EXPECT_EQ(problem_of(budget(0, 0), signers_of(std::vector<Weight>(65, 1))), RosterProblem::no_members);
  EXPECT_TRUE(SignerRoster::make(budget(31, 0), signers_of(std::vector<Weight>(64, 1))).has_value());
  EXPECT_EQ(problem_of(budget(0, 0), signers_of({1, 0, 1})), RosterProblem::no_weight);
  EXPECT_EQ(problem_of({.cluster = {}, .epoch = Epoch(0), .u = 0, .r = 0}, signers_of({1})),
            RosterProblem::no_epoch);
}

TEST(SignerRoster, overflows_nowhere) {
  const Weight half = cluster_weight_max / 2;
  EXPECT_TRUE(SignerRoster::make(budget(half, half), signers_of({half, half, 1})).has_value());
  EXPECT_EQ(problem_of(budget(0, 0), signers_of({half, half, 2})), RosterProblem::too_much_weight);
  EXPECT_EQ(problem_of(budget(0, 0), signers_of({UINT64_MAX, 2})), RosterProblem::too_much_weight);
  EXPECT_EQ(problem_of(budget(half + 1, 0), signers_of({half, half, 1})), RosterProblem::bad_budget);
  EXPECT_EQ(problem_of(budget(UINT64_MAX, UINT64_MAX), signers_of({1, 1, 1})), RosterProblem::bad_budget);
}

TEST(SignerRoster, refuses_keys_that_are_nobodys_or_anothers) {
  std::vector<Signer> signers = signers_of({1, 1, 1});
  signers[2].key = PublicKey{};
  EXPECT_EQ(problem_of(budget(1, 0), signers), RosterProblem::bad_key);
  signers[2].key = PublicKey{{1}};  // the neutral element
  EXPECT_EQ(problem_of(budget(1, 0), signers), RosterProblem::bad_key);
  signers[2].key = signers[0].key;
  EXPECT_EQ(problem_of(budget(1, 0), signers), RosterProblem::repeated_key);
}

TEST(SignerRoster, has_a_digest_of_everything_that_it_says) {
  const auto digest = [](const RosterHead& head, const std::vector<Signer>& signers) {
    return SignerRoster::make(head, signers)->digest();
  };
  const std::vector<Signer> signers = signers_of({2, 2, 2, 2});
  const Digest ours = digest(budget(2, 1), signers);
  EXPECT_EQ(ours, digest(budget(2, 1), signers));
  EXPECT_NE(ours, digest(budget(1, 1), signers));
  EXPECT_NE(ours, digest(budget(2, 2), signers));
  EXPECT_NE(ours, digest({.cluster = ClusterIndex(2), .epoch = Epoch(3), .u = 2, .r = 1}, signers));
  EXPECT_NE(ours, digest({.cluster = ClusterIndex(1), .epoch = Epoch(4), .u = 2, .r = 1}, signers));
  EXPECT_NE(ours, digest(budget(2, 1), signers_of({2, 2, 2, 3})));
  EXPECT_NE(ours, digest(budget(2, 1), signers_of({2, 2, 2})));
  EXPECT_NE(ours, digest(budget(2, 1), {signers[1], signers[0], signers[2], signers[3]}));
}

}  // namespace
}  // namespace mallard::crypto
