#include "bridge/core/frame.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::bridge {
namespace {

TEST(Frame, a_header_names_consecutive_messages) {
  const BatchHeader header{BatchNumber(3), MessageNumber(100), 5};
  EXPECT_EQ(header.last(), MessageNumber(104));
  EXPECT_EQ((BatchHeader{BatchNumber(1), MessageNumber(1), 1}).last(), MessageNumber(1));
  EXPECT_EQ((BatchHeader{BatchNumber(1), MessageNumber((1ULL << 32) - 1), 2}).last(),
            MessageNumber(1ULL << 32));
}

TEST(Frame, contexts_are_equal_only_in_every_part) {
  const LinkContext context{LinkIndex(1), Generation(2), Epoch(3), Epoch(4)};
  EXPECT_EQ(context, (LinkContext{LinkIndex(1), Generation(2), Epoch(3), Epoch(4)}));
  EXPECT_NE(context, (LinkContext{LinkIndex(0), Generation(2), Epoch(3), Epoch(4)}));
  EXPECT_NE(context, (LinkContext{LinkIndex(1), Generation(0), Epoch(3), Epoch(4)}));
  EXPECT_NE(context, (LinkContext{LinkIndex(1), Generation(2), Epoch(0), Epoch(4)}));
  EXPECT_NE(context, (LinkContext{LinkIndex(1), Generation(2), Epoch(4), Epoch(3)}));
}

TEST(Frame, a_phi_list_is_little_endian_words_of_the_frame) {
  std::array<std::byte, 19> bytes{};
  bytes[0] = std::byte{0x02};
  bytes[15] = std::byte{0x80};
  bytes[18] = std::byte{0xff};  // not a whole word
  const PhiList phi{ByteView(bytes)};
  EXPECT_EQ(phi.words(), 2U);
  EXPECT_EQ(phi.word(0), 2U);
  EXPECT_EQ(phi.word(1), 1ULL << 63);
  EXPECT_EQ(phi.word(2), 0U);
  EXPECT_EQ(PhiList().words(), 0U);
  EXPECT_EQ(PhiList().word(0), 0U);
}

}  // namespace
}  // namespace mallard::bridge
