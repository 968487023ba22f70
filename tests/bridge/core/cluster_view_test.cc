#include "bridge/core/cluster_view.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace mallard::bridge
