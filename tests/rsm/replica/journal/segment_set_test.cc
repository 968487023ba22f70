#include "rsm/replica/journal/segment_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm::journal {
namespace {

constexpr std::uint32_t bytes = 16384;
const std::array<std::byte, 4096> start = [] {
  std::array<std::byte, 4096> content{};
  content.fill(std::byte{5});
  return content;
}();

TEST(SegmentSet, segment_is_durable_with_its_name_and_zeros) {
  SimDisk disk(1);
  SegmentSet set(disk, bytes, 4);
  ASSERT_TRUE(set.activate(1, start));
  ASSERT_TRUE(disk.names_are_durable());
  const DiskImage before = disk.image();
  disk.restart(SimDisk::Loss::everything);
  EXPECT_EQ(disk.image(), before);
  EXPECT_EQ(disk.image().at("log.00000001").size(), bytes);
}

TEST(SegmentSet, recycles_one_and_removes_the_rest) {
  SimDisk disk(1);
  SegmentSet set(disk, bytes, 4);
  for (std::uint32_t number = 1; number <= 4; ++number) {
    ASSERT_TRUE(set.activate(number, start));
  }
  ASSERT_TRUE(set.recycle_before(3));
  DiskImage image = disk.image();
  EXPECT_EQ(image.size(), 3U);
  const auto& spare = image.at("spare");
  EXPECT_TRUE(std::all_of(spare.begin(), spare.end(), [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_EQ(set.find(2), nullptr);
  EXPECT_NE(set.find(4), nullptr);
  ASSERT_TRUE(set.activate(5, start));
  EXPECT_FALSE(disk.image().contains("spare"));
  EXPECT_TRUE(disk.names_are_durable());
}

TEST(SegmentSet, opens_what_is_there_in_order) {
  SimDisk disk(1);
  {
    SegmentSet set(disk, bytes, 4);
    for (std::uint32_t number = 1; number <= 3; ++number) {
      ASSERT_TRUE(set.activate(number, start));
    }
  }
  SegmentSet set(disk, bytes, 4);
  std::vector<FileName> names = disk.list().value();
  std::reverse(names.begin(), names.end());
  ASSERT_TRUE(set.open_all(names, 2));
  ASSERT_EQ(set.segments().size(), 2U);
  EXPECT_EQ(set.segments()[0].number, 2U);
  ASSERT_TRUE(set.remove_after(2));
  EXPECT_FALSE(disk.image().contains("log.00000003"));
}

TEST(SegmentSet, unreadable_sector_spoils_only_its_surroundings) {
  SimDisk disk(1);
  SegmentSet set(disk, bytes, 4);
  ASSERT_TRUE(set.activate(1, start));
  disk.make_unreadable("log.00000001", 5000);
  std::vector<std::byte> content(bytes);
  ASSERT_TRUE(set.read_all(set.segments()[0], content));
  EXPECT_EQ(content[0], std::byte{5});
  EXPECT_EQ(content[5000], std::byte{0xFF});
  EXPECT_EQ(content[9000], std::byte{0});
}

TEST(SegmentSet, full_disk_is_an_error) {
  SimDisk disk(1);
  SegmentSet set(disk, bytes, 4);
  disk.fail_after(1, DiskFault::full);
  const auto segment = set.activate(1, start);
  ASSERT_FALSE(segment);
  EXPECT_EQ(segment.error().fault, JournalFault::machine);
}

}  // namespace
}  // namespace mallard::rsm::journal
