#include "config/base/zeroed_array.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mallard {
namespace {

struct Place {
  std::uint64_t at = 7;
  std::uint32_t length = 7;
};

TEST(ZeroedArray, begins_as_zero_whatever_a_new_item_would_be) {
  ZeroedArray<Place> places(1000);
  ASSERT_EQ(places.size(), 1000U);
  for (std::size_t i = 0; i < places.size(); ++i) {
    ASSERT_EQ(places[i].at, 0U);
    ASSERT_EQ(places[i].length, 0U);
  }
  places[999] = {1, 2};
  EXPECT_EQ(places[999].at, 1U);
  EXPECT_EQ(places.data() + 999, &places[999]);
}

TEST(ZeroedArray, takes_no_memory_where_nothing_was_written) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  ZeroedArray<std::byte> bytes(1024 * page);
  bytes[512 * page] = std::byte{1};
  auto* first = reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(bytes.data()) / page * page);
  std::vector<unsigned char> resident(1024);
  ASSERT_EQ(::mincore(first, 1024 * page, resident.data()), 0);
  const auto touched =
      std::count_if(resident.begin(), resident.end(), [](unsigned char r) { return (r & 1U) != 0; });
  EXPECT_GE(touched, 1);
  EXPECT_LT(touched, 600) << "at most a huge page around what was written";
}

TEST(ZeroedArrayDeath, positions_beyond_the_end_are_a_defect) {
  ZeroedArray<Place> places(3);
  EXPECT_DEATH(places[3].at = 1, "invariant broken");
}

}  // namespace
}  // namespace mallard
