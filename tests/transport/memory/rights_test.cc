#include "transport/memory/rights.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::memory {
namespace {

constexpr ProcessIndex owner{0};
constexpr ProcessIndex writer{1};
constexpr ProcessIndex reader{2};
constexpr ProcessIndex stranger{3};
constexpr RegionLayout fixed{128, only(reader), only(writer), false};
constexpr RegionLayout granted{128, only(reader), 0, true};

TEST(Rights, the_owner_always_may_and_writers_may_read) {
  EXPECT_TRUE(may_write(fixed, owner, owner));
  EXPECT_TRUE(may_write(fixed, owner, writer));
  EXPECT_FALSE(may_write(fixed, owner, reader));
  EXPECT_FALSE(may_write(fixed, owner, stranger));
  EXPECT_TRUE(may_read(fixed, owner, owner));
  EXPECT_TRUE(may_read(fixed, owner, writer));
  EXPECT_TRUE(may_read(fixed, owner, reader));
  EXPECT_FALSE(may_read(fixed, owner, stranger));
}

TEST(Rights, a_granted_region_has_no_writer_by_its_layout) {
  EXPECT_FALSE(may_write(granted, owner, owner));
  EXPECT_FALSE(may_write(granted, owner, writer));
  EXPECT_TRUE(may_read(granted, owner, reader));
}

TEST(Rights, bounds_hold_against_any_number) {
  EXPECT_TRUE(is_within(0, 128, fixed));
  EXPECT_TRUE(is_within(120, 8, fixed));
  EXPECT_FALSE(is_within(128, 8, fixed));
  EXPECT_FALSE(is_within(0, 136, fixed));
  EXPECT_FALSE(is_within(0, 0, fixed));
  EXPECT_FALSE(is_within(4, 8, fixed));
  EXPECT_FALSE(is_within(8, 4, fixed));
  EXPECT_FALSE(is_within(UINT64_MAX - 7, 16, fixed));
  EXPECT_FALSE(is_within(8, UINT64_MAX - 7, fixed));
}

TEST(Rights, processes_beyond_the_last_are_in_no_set) {
  EXPECT_TRUE(contains(UINT64_MAX, ProcessIndex(63)));
  EXPECT_FALSE(contains(UINT64_MAX, ProcessIndex(64)));
}

TEST(Rights, layouts_are_checked) {
  EXPECT_TRUE(is_valid(std::array{fixed, granted}));
  EXPECT_FALSE(is_valid(std::array{RegionLayout{0, 0, 0, false}}));
  EXPECT_FALSE(is_valid(std::array{RegionLayout{72, 0, 0, false}}));
  EXPECT_FALSE(is_valid(std::array{RegionLayout{region_bytes_max + 64, 0, 0, false}}));
  EXPECT_FALSE(is_valid(std::array{RegionLayout{64, 0, only(writer), true}}));
  std::array<RegionLayout, regions_max + 1> many;
  many.fill(fixed);
  EXPECT_FALSE(is_valid(many));
}

}  // namespace
}  // namespace mallard::memory
