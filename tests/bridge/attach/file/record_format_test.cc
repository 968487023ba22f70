#include "bridge/attach/file/record_format.h"

#include <gtest/gtest.h>

#include <vector>

namespace mallard::bridge::file {
namespace {

RecordHead sample() {
  return {.payload_bytes = 300,
          .messages = 7,
          .proof_bytes = 11,
          .number = 1ULL << 40,
          .first = (1ULL << 63) + 1,
          .synced = 4711,
          .previous = seed_of(LogKind::committed, "any")};
}

TEST(RecordFormat, a_head_comes_back_as_it_was_written) {
  const RecordHash seed = seed_of(LogKind::delivered, "east-west");
  std::array<std::byte, record_head_bytes> bytes{};
  write_record_head(sample(), seed, 99, bytes);
  const auto head = read_record_head(bytes, seed, 99);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->payload_bytes, sample().payload_bytes);
  EXPECT_EQ(head->messages, sample().messages);
  EXPECT_EQ(head->proof_bytes, sample().proof_bytes);
  EXPECT_EQ(head->number, sample().number);
  EXPECT_EQ(head->first, sample().first);
  EXPECT_EQ(head->synced, sample().synced);
  EXPECT_EQ(head->previous, sample().previous);
}

TEST(RecordFormat, a_head_is_bound_to_its_place_and_its_log) {
  const RecordHash seed = seed_of(LogKind::delivered, "east-west");
  std::array<std::byte, record_head_bytes> bytes{};
  write_record_head(sample(), seed, 99, bytes);
  EXPECT_FALSE(read_record_head(bytes, seed, 100).has_value());
  EXPECT_FALSE(read_record_head(bytes, seed_of(LogKind::delivered, "west-east"), 99).has_value());
  EXPECT_FALSE(read_record_head(bytes, seed_of(LogKind::committed, "east-west"), 99).has_value());
}

TEST(RecordFormat, any_flipped_bit_of_a_head_is_seen) {
  const RecordHash seed = seed_of(LogKind::delivered, "east-west");
  std::array<std::byte, record_head_bytes> bytes{};
  write_record_head(sample(), seed, 99, bytes);
  for (std::size_t bit = 0; bit < record_head_bytes * 8; ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(read_record_head(flipped, seed, 99).has_value()) << "bit " << bit;
  }
}

TEST(RecordFormat, a_head_with_numbers_out_of_range_is_none) {
  const RecordHash seed = seed_of(LogKind::delivered, "east-west");
  const auto reads = [&seed](const RecordHead& head) {
    std::array<std::byte, record_head_bytes> bytes{};
    write_record_head(head, seed, 0, bytes);
    return read_record_head(bytes, seed, 0).has_value();
  };
  RecordHead head = sample();
  head.payload_bytes = record_payload_bytes_max;
  EXPECT_TRUE(reads(head));
  head.payload_bytes = record_payload_bytes_max + 1;
  EXPECT_FALSE(reads(head));
  head = sample();
  head.messages = 0;
  EXPECT_FALSE(reads(head));
  head = sample();
  head.proof_bytes = 300;
  EXPECT_FALSE(reads(head));
  head = sample();
  head.number = 0;
  EXPECT_FALSE(reads(head));
}

TEST(RecordFormat, a_file_head_says_whose_log_it_is) {
  const RecordHash seed = seed_of(LogKind::committed, "east");
  std::vector<std::byte> bytes(file_head_bytes);
  write_file_head(LogKind::committed, seed, bytes);
  EXPECT_EQ(check_file_head(LogKind::committed, seed, bytes), nullptr);
  EXPECT_STREQ(check_file_head(LogKind::committed, seed_of(LogKind::committed, "west"), bytes),
               "is the log of another cluster or link");
  EXPECT_STREQ(check_file_head(LogKind::delivered, seed, bytes), "is another kind of log");
  bytes[7] = std::byte{'2'};
  EXPECT_STREQ(check_file_head(LogKind::committed, seed, bytes), "is not a log of this version of Mallard");
  EXPECT_NE(check_file_head(LogKind::committed, seed, {}), nullptr);
}

}  // namespace
}  // namespace mallard::bridge::file
