#include "rsm/core/cft/members.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::rsm::cft {
namespace {

Members first(std::size_t count) { return {count == 64 ? ~0ULL : (1ULL << count) - 1, Epoch(1)}; }

// Any two majorities of one size meet, and none is larger than it must be: by enumeration.
TEST(Members, MajoritiesMeetAndAreNoLargerThanNeeded) {
  for (std::size_t n = 1; n <= 7; ++n) {
    const Members members = first(n);
    for (memory::ProcessSet a = 0; a < 1ULL << n; ++a) {
      // Of two halves that do not meet at most one decides, and with an odd number one always does.
      const bool decides = members.is_majority(a);
      const bool rest = members.is_majority(~a & members.set);
      EXPECT_FALSE(decides && rest);
      if (n % 2 == 1) {
        EXPECT_TRUE(decides || rest);
      }
      if (!decides) continue;
      for (memory::ProcessSet b = 0; b < 1ULL << n; ++b) {
        if (members.is_majority(b)) {
          EXPECT_NE(a & b, 0U) << n;
        }
      }
    }
  }
}

TEST(Members, MajoritiesOfNeighbouringEpochsMeet) {
  for (std::size_t n = 2; n <= 6; ++n) {
    const Members before = first(n);
    const Members after = before.changed(memory::ProcessIndex(static_cast<std::uint16_t>(n)), true);
    EXPECT_EQ(after.epoch, before.epoch.next());
    EXPECT_EQ(after.changed(memory::ProcessIndex(static_cast<std::uint16_t>(n)), false).set, before.set);
    for (memory::ProcessSet a = 0; a < 1ULL << (n + 1); ++a) {
      for (memory::ProcessSet b = 0; b < 1ULL << (n + 1); ++b) {
        if (before.is_majority(a) && after.is_majority(b)) {
          ASSERT_NE(a & b, 0U);
        }
      }
    }
  }
}

TEST(Members, OutsidersDoNotCount) {
  const Members members{0b0111, Epoch(1)};
  EXPECT_FALSE(members.is_majority(0b111'1000));
  EXPECT_TRUE(members.is_majority(0b1011));
  EXPECT_FALSE(members.has(memory::ProcessIndex(3)));
  EXPECT_FALSE(members.has(memory::ProcessIndex(400)));
}

TEST(Members, PayloadsAreChecked) {
  std::array<std::byte, members_bytes> bytes{};
  const Members members{0b1101, Epoch(9)};
  encode_members(members, bytes);
  EXPECT_EQ(decode_members(bytes), members);
  EXPECT_FALSE(decode_members(ByteView(bytes).first(15)).has_value());
  encode_members({0, Epoch(9)}, bytes);
  EXPECT_FALSE(decode_members(bytes).has_value());
  encode_members({1, Epoch(0)}, bytes);
  EXPECT_FALSE(decode_members(bytes).has_value());
}

}  // namespace
}  // namespace mallard::rsm::cft
