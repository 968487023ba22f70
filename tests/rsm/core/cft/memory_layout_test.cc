#include "rsm/core/cft/memory_layout.h"

#include <gtest/gtest.h>

#include <vector>

namespace mallard::rsm::cft {
namespace {

const MemoryLayout layout{3, 1024, 256};

TEST(MemoryLayout, PlacesDoNotOverlap) {
  EXPECT_EQ(layout.log_offset(0), control_bytes);
  EXPECT_EQ(layout.log_offset(1024 + 64), control_bytes + 64);
  EXPECT_EQ(layout.until_wrap(960), 64U);
  EXPECT_EQ(layout.chunk_offset(), 3 * card_bytes);
  const auto regions = layout.regions();
  EXPECT_TRUE(regions[log_region.value].granted);
  EXPECT_EQ(regions[log_region.value].bytes, 1024 + control_bytes);
  EXPECT_EQ(regions[mail_region.value].writers, 0b111U);
  EXPECT_EQ(regions[status_region.value].readers, 0b111U);
  EXPECT_EQ(regions[scratch_region.value].bytes, 3 * card_bytes + 256);
  EXPECT_EQ((MemoryLayout{64, 1024, 256}.regions()[mail_region.value].writers), ~0ULL);
}

// Every position of the log within the range lies in the live bytes, as the region's end wraps them.
TEST(MemoryLayout, LiveRangesCoverEachPosition) {
  const std::uint64_t region = control_bytes + layout.ring_bytes;
  for (Lsn from = 0; from < 3 * layout.ring_bytes; from += 64) {
    for (Lsn to = from; to <= from + layout.ring_bytes; to += 64) {
      const memory::LiveRange live = layout.live(from, to);
      ASSERT_LE(live.bytes, region);
      std::vector<bool> covered(region, false);
      for (std::uint64_t i = 0; i < live.bytes; i += 64) covered[(live.offset + i) % region] = true;
      for (Lsn at = from; at < to; at += 64) ASSERT_TRUE(covered[layout.log_offset(at)]) << from << " " << to;
    }
  }
}

}  // namespace
}  // namespace mallard::rsm::cft
