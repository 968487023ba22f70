#include "bridge/core/cluster_view.h"

#include <gtest/gtest.h>

#include <vector>

#include "bridge/core/quorum.h"

namespace mallard::bridge {
namespace {

TEST(ClusterView, thresholds_follow_from_u_and_r) {
  ClusterView bft{.u = 1, .r = 1};
  ClusterView cft{.u = 2, .r = 0};
  for (int i = 0; i < 4; ++i) {
    bft.weights.push_back(1);
  }
  EXPECT_EQ(bft.size(), 4U);
  EXPECT_EQ(bft.total(), 4U);
  EXPECT_EQ(bft.quack_threshold(), 2U);
  EXPECT_EQ(bft.truth_threshold(), 2U);
  EXPECT_EQ(cft.quack_threshold(), 3U);
  EXPECT_EQ(cft.truth_threshold(), 1U);
}

TEST(ClusterView, the_total_is_of_weights_not_of_heads) {
  ClusterView view;
  view.weights.push_back(cluster_weight_max - 2);
  view.weights.push_back(2);
  EXPECT_EQ(view.size(), 2U);
  EXPECT_EQ(view.total(), cluster_weight_max);
}

TEST(ClusterView, is_sound_if_its_weight_carries_its_budget) {
  for (Weight total = 1; total <= 12; ++total) {
    for (Weight u = 0; u <= 12; ++u) {
      for (Weight r = 0; r <= 12; ++r) {
        ClusterView view{.u = u, .r = r};
        view.weights.push_back(total);
        EXPECT_EQ(view.is_sound(), r <= u && 2 * u + r + 1 <= total) << total << ", " << u << ", " << r;
      }
    }
  }
  EXPECT_FALSE(ClusterView{}.is_sound()) << "nobody is in it";
}

TEST(ClusterView, is_not_sound_where_numbers_wrap_around) {
  const auto is_sound = [](Weight first, Weight second, Weight u, Weight r) {
    ClusterView view{.u = u, .r = r};
    view.weights.push_back(first);
    view.weights.push_back(second);
    return view.is_sound();
  };
  constexpr Weight half = 1ULL << 62;
  EXPECT_TRUE(is_sound(half, half - 1, half - 1, 0));
  EXPECT_FALSE(is_sound(half, half, 0, 0)) << "the total is 2^63";
  EXPECT_FALSE(is_sound(UINT64_MAX, 2, 0, 0)) << "the total wraps to 1";
  EXPECT_FALSE(is_sound(1, 0, 0, 0)) << "a replica without weight";
  EXPECT_FALSE(is_sound(half, half - 1, half - 1, 1)) << "2u + r + 1 is 2^63";
  EXPECT_FALSE(is_sound(1, 1, 1ULL << 63, 0)) << "2u wraps to 0";
  EXPECT_FALSE(is_sound(3, 1, 1ULL << 63, 1ULL << 63));
}

// The tables of all clusters of up to five replicas with stakes of 1 to 3: whoever may be faulty together
// reaches no threshold alone, and the others reach each without them.
TEST(ClusterView, thresholds_are_reached_without_the_faulty_and_never_by_them_alone) {
  std::uint64_t clusters = 0;
  for (std::size_t n = 1; n <= 5; ++n) {
    std::vector<Weight> weights(n, 1);
    for (std::size_t i = 0; i < n;) {
      ClusterView view;
      for (const Weight weight : weights) {
        view.weights.push_back(weight);
      }
      for (view.u = 0; view.u < view.total(); ++view.u) {
        for (view.r = 0; view.is_sound(); ++view.r) {
          ++clusters;
          for (std::uint64_t faulty = 0; faulty < 1ULL << n; ++faulty) {
            const Weight weight = weight_of(faulty, view.weights);
            ASSERT_EQ(weight >= view.quack_threshold(), weight > view.u);
            ASSERT_EQ(weight >= view.truth_threshold(), weight > view.r);
            ASSERT_TRUE(weight > view.u || view.total() - weight >= view.quack_threshold());
            ASSERT_TRUE(weight > view.u || view.total() - weight >= view.u + view.truth_threshold());
          }
        }
      }
      for (i = 0; i < n && weights[i] == 3; ++i) {
        weights[i] = 1;
      }
      if (i < n) {
        ++weights[i];
      }
    }
  }
  EXPECT_GT(clusters, 2'000U);
}

}  // namespace
}  // namespace mallard::bridge
