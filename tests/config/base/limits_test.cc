#include "config/base/limits.h"

#include <gtest/gtest.h>

#include <bit>

#include "config/base/ids.h"

namespace mallard {
namespace {

TEST(Limits, numbers_fit_the_types_that_carry_them) {
  EXPECT_LE(batch_messages_max, UINT16_MAX);  // BatchHeader::count
  EXPECT_LE(proof_bytes_max, UINT16_MAX);     // proof_bytes
  EXPECT_LE(clusters_max - 1, std::size_t{UINT16_MAX});
  EXPECT_LE(replicas_max, 64U);                             // replicas are bits of 64-bit masks
  EXPECT_LE(sections_per_frame_max, 3U);                    // two bits in the frame's flags
  EXPECT_LE(2 * replicas_max - 1, std::size_t{UINT8_MAX});  // attempts of a share walk
}

TEST(Limits, sums_of_two_clusters_weights_fit) {
  Weight sum = 0;
  EXPECT_FALSE(__builtin_add_overflow(cluster_weight_max, cluster_weight_max, &sum));
}

TEST(Limits, the_largest_window_is_a_power_of_two) { EXPECT_TRUE(std::has_single_bit(window_batches_max)); }

}  // namespace
}  // namespace mallard
