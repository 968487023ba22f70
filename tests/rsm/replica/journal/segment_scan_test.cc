#include "rsm/replica/journal/segment_scan.h"

#include <gtest/gtest.h>

#include "tests/rsm/replica/journal/segment_writer.h"

namespace mallard::rsm::journal {
namespace {

Record record(std::uint64_t lsn) { return {.kind = RecordKind::entry, .lsn = lsn}; }

TEST(SegmentScan, finds_the_records_of_all_groups) {
  SegmentWriter segment(32768);
  segment.add(record(1), 10);
  segment.add(record(2), 5000);
  segment.pad();
  segment.add(record(3), 0);
  segment.pad();
  const auto items = segment.scan();
  ASSERT_EQ(items.size(), 3U);
  for (std::size_t i = 0; i < items.size(); ++i) {
    ASSERT_TRUE(items[i].head);
    EXPECT_EQ(items[i].head->record.lsn, i + 1);
    EXPECT_TRUE(items[i].body_matches);
    EXPECT_FALSE(items[i].unwritten);
  }
  EXPECT_TRUE(SegmentWriter(8192).scan().empty());
}

TEST(SegmentScan, tells_a_flipped_bit_from_a_torn_write) {
  for (const bool torn : {false, true}) {
    SegmentWriter segment(32768);
    const std::size_t offset = segment.add(record(1), 3000);
    segment.add(record(2), 10);
    segment.pad();
    if (torn) {
      segment.zero(1024, 512);
    } else {
      segment.flip(offset + 1200);
    }
    const auto items = segment.scan();
    ASSERT_EQ(items.size(), 2U);
    EXPECT_FALSE(items[0].body_matches);
    EXPECT_EQ(items[0].unwritten, torn);
    EXPECT_TRUE(items[1].body_matches) << "the length of the first is still known";
  }
}

TEST(SegmentScan, goes_on_at_the_next_group_after_a_bad_head) {
  for (const bool torn : {false, true}) {
    SegmentWriter segment(32768);
    segment.add(record(1), 5000);
    segment.add(record(2), 10);
    segment.pad();
    const std::size_t next = segment.add(record(3), 10);
    segment.pad();
    if (torn) {
      segment.zero(0, 512);
    } else {
      segment.flip(20);
    }
    const auto items = segment.scan();
    ASSERT_EQ(items.size(), 2U);
    EXPECT_FALSE(items[0].head);
    EXPECT_EQ(items[0].unwritten, torn);
    EXPECT_EQ(items[0].bytes, next);
    EXPECT_EQ(items[1].head->record.lsn, 3U);
  }
}

TEST(SegmentScan, lost_first_sectors_of_a_group_count_as_unwritten) {
  SegmentWriter segment(32768);
  segment.add(record(1), 6000);
  segment.pad();
  segment.zero(0, 4096);
  const auto items = segment.scan();
  ASSERT_EQ(items.size(), 1U);
  EXPECT_TRUE(items[0].unwritten);
}

TEST(SegmentScan, flipped_bits_in_unused_bytes_are_overlooked) {
  SegmentWriter segment(32768);
  segment.add(record(1), 10);
  segment.pad();
  segment.flip(2000);
  segment.flip(20000);
  EXPECT_EQ(segment.scan().size(), 1U);
}

}  // namespace
}  // namespace mallard::rsm::journal
