#include "rsm/machine/system_key.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mallard::rsm {
namespace {

bool is_before(const SystemKey& a, const SystemKey& b) {
  return std::ranges::lexicographical_compare(a.view(), b.view());
}

TEST(SystemKey, keys_are_ordered_as_space_and_number) {
  EXPECT_TRUE(is_before(SystemKey(SystemSpace::meta, UINT64_MAX), SystemKey(SystemSpace::session, 0)));
  EXPECT_TRUE(is_before(SystemKey(SystemSpace::session, 255), SystemKey(SystemSpace::session, 256)));
  EXPECT_TRUE(is_before(SystemKey(SystemSpace::session, 1), SystemKey(SystemSpace::session, 1ULL << 63)));
}

TEST(SystemKey, the_number_can_be_read_back) {
  for (const std::uint64_t number : {0ULL, 1ULL, 0x0123456789abcdefULL, ~0ULL}) {
    EXPECT_EQ(SystemKey::number_of(SystemKey(SystemSpace::session_queue, number).view()), number);
  }
}

}  // namespace
}  // namespace mallard::rsm
