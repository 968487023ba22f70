#include "rsm/replica/journal/superblock.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::rsm::journal {
namespace {

Superblock sample() {
  Superblock superblock;
  superblock.store.bytes[0] = std::byte{9};
  superblock.generation = 5;
  superblock.incarnation = Incarnation(77);
  superblock.promises = {.epoch = Epoch(2), .term = Term(8), .grant = 3, .voted_for = 2, .may_vote = true};
  superblock.snapshot = {.index = EntryIndex(40), .term = Term(7), .digest = {}};
  superblock.snapshot.digest.bytes[31] = 1;
  superblock.front = EntryIndex(30);
  superblock.start_after = 100;
  superblock.synced_lsn = 200;
  superblock.commit = EntryIndex(41);
  superblock.first_segment = 4;
  superblock.last_segment = 6;
  superblock.openings = 3;
  superblock.segment_bytes = 8192;
  superblock.previous.bytes[0] = 5;
  return superblock;
}

TEST(Superblock, comes_back_as_it_was_written) {
  std::array<std::byte, superblock_bytes> bytes;
  write_superblock(sample(), {.slot = 1, .copy = 1}, bytes);
  const auto found = read_superblock(bytes, {.slot = 1, .copy = 1});
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, sample());
}

TEST(Superblock, verifies_nowhere_else) {
  std::array<std::byte, superblock_bytes> bytes;
  write_superblock(sample(), {.slot = 1, .copy = 0}, bytes);
  EXPECT_FALSE(read_superblock(bytes, {.slot = 0, .copy = 0}));
  EXPECT_FALSE(read_superblock(bytes, {.slot = 1, .copy = 1}));
  EXPECT_FALSE(read_superblock(ByteView(bytes).first(superblock_bytes - 1), {.slot = 1, .copy = 0}));
}

TEST(Superblock, every_flipped_bit_is_noticed) {
  std::array<std::byte, superblock_bytes> good;
  write_superblock(sample(), {.slot = 0, .copy = 0}, good);
  for (std::size_t bit = 0; bit < superblock_bytes * 8; ++bit) {
    auto bytes = good;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_FALSE(read_superblock(bytes, {.slot = 0, .copy = 0})) << bit;
  }
}

TEST(Superblock, link_depends_on_every_field_and_on_no_place) {
  Superblock other = sample();
  EXPECT_EQ(link_of(other), link_of(sample()));
  other.promises.grant = 4;
  EXPECT_NE(link_of(other), link_of(sample()));
}

}  // namespace
}  // namespace mallard::rsm::journal
