#include "config/base/bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "config/base/prng.h"

namespace mallard {
namespace {

std::vector<unsigned> as_numbers(ByteView bytes) {
  std::vector<unsigned> numbers;
  for (const std::byte b : bytes) {
    numbers.push_back(std::to_integer<unsigned>(b));
  }
  return numbers;
}

TEST(Bytes, integers_are_little_endian) {
  std::array<std::byte, 15> bytes{};
  ByteWriter writer(bytes);
  writer.write(std::uint8_t{0x01});
  writer.write(std::uint16_t{0x0302});
  writer.write(std::uint32_t{0x07060504});
  writer.write(std::uint64_t{0x0f0e0d0c0b0a0908});
  EXPECT_EQ(writer.used(), 15U);
  EXPECT_EQ(as_numbers(bytes), (std::vector<unsigned>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
}

TEST(Bytes, what_was_written_is_read) {
  Prng random(1);
  for (int turn = 0; turn < 2'000; ++turn) {
    std::vector<std::byte> bytes(512);
    std::vector<std::uint64_t> values;
    std::vector<std::size_t> widths;
    ByteWriter writer(bytes);
    while (writer.used() + 8 <= bytes.size() && random.below(40) != 0) {
      const std::uint64_t value = random.next() >> random.below(64);
      widths.push_back(random.below(4));
      values.push_back(value);
      switch (widths.back()) {
        case 0:
          writer.write(static_cast<std::uint8_t>(value));
          break;
        case 1:
          writer.write(static_cast<std::uint16_t>(value));
          break;
        case 2:
          writer.write(static_cast<std::uint32_t>(value));
          break;
        default:
          writer.write(value);
          break;
      }
    }
    ByteReader reader(ByteView(bytes).first(writer.used()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      switch (widths[i]) {
        case 0:
          ASSERT_EQ(reader.read<std::uint8_t>(), static_cast<std::uint8_t>(values[i]));
          break;
        case 1:
          ASSERT_EQ(reader.read<std::uint16_t>(), static_cast<std::uint16_t>(values[i]));
          break;
        case 2:
          ASSERT_EQ(reader.read<std::uint32_t>(), static_cast<std::uint32_t>(values[i]));
          break;
        default:
          ASSERT_EQ(reader.read<std::uint64_t>(), values[i]);
          break;
      }
    }
    ASSERT_TRUE(reader.ok());
    ASSERT_EQ(reader.remaining(), 0U);
  }
}

TEST(Bytes, a_reader_that_met_the_end_stays_bad) {
  const std::array<std::byte, 3> bytes{std::byte{1}, std::byte{2}, std::byte{3}};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.read<std::uint32_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.read<std::uint8_t>(), 0U);
  EXPECT_TRUE(reader.take(0).empty());
  EXPECT_TRUE(reader.take(1).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(Bytes, every_length_that_is_short_is_bad) {
  const std::array<std::byte, 8> bytes{};
  for (std::size_t length = 0; length < 8; ++length) {
    ByteReader reader(ByteView(bytes).first(length));
    static_cast<void>(reader.read<std::uint64_t>());
    EXPECT_FALSE(reader.ok()) << length;
  }
}

TEST(Bytes, take_is_a_view_of_the_original) {
  const std::array<std::byte, 4> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  ByteReader reader(bytes);
  static_cast<void>(reader.read<std::uint8_t>());
  const ByteView view = reader.take(2);
  EXPECT_EQ(view.data(), bytes.data() + 1);
  EXPECT_EQ(view.size(), 2U);
  EXPECT_EQ(reader.remaining(), 1U);
  EXPECT_TRUE(reader.take(2).empty());
  EXPECT_FALSE(reader.ok());
}

TEST(Bytes, bytes_are_written_as_they_are) {
  std::array<std::byte, 4> bytes{};
  const std::array<std::byte, 2> source{std::byte{7}, std::byte{9}};
  ByteWriter writer(bytes);
  writer.write(std::uint8_t{1});
  writer.write_bytes(source);
  writer.write_bytes({});
  EXPECT_EQ(writer.used(), 3U);
  EXPECT_EQ(as_numbers(bytes), (std::vector<unsigned>{1, 7, 9, 0}));
}

TEST(BytesDeathTest, writing_beyond_our_own_span_is_our_bug) {
  std::array<std::byte, 3> bytes{};
  ByteWriter writer(bytes);
  EXPECT_DEATH(writer.write(std::uint32_t{1}), "invariant broken");
  EXPECT_DEATH(writer.write_bytes(std::array<std::byte, 4>{}), "invariant broken");
}

}  // namespace
}  // namespace mallard
