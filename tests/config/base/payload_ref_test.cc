#include "config/base/payload_ref.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace mallard {
namespace {

// Passed around by value between rooms: as small as a pointer and without a destructor that could count.
static_assert(sizeof(PayloadRef) == 8);
static_assert(std::is_trivially_copyable_v<PayloadRef>);

TEST(PayloadRef, equal_means_same_slot_and_same_length) {
  EXPECT_EQ((PayloadRef{3, 100}), (PayloadRef{3, 100}));
  EXPECT_NE((PayloadRef{3, 100}), (PayloadRef{3, 99}));
  EXPECT_NE((PayloadRef{3, 100}), (PayloadRef{4, 100}));
  EXPECT_EQ(PayloadRef{}.bytes, 0U);
}

}  // namespace
}  // namespace mallard
