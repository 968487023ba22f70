#include "cli/incarnation.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/cli/temporary_folder.h"

namespace mallard::cli {
namespace {

TEST(BeginIncarnation, every_life_has_a_larger_number) {
  const TemporaryFolder folder;
  Incarnation before{0};
  for (int life = 0; life < 5; ++life) {
    const auto number = begin_incarnation(folder.path(""));
    ASSERT_TRUE(number.has_value()) << number.error();
    EXPECT_GT(*number, before);
    before = *number;
  }
}

TEST(BeginIncarnation, a_clock_that_went_back_does_not_matter) {
  const TemporaryFolder folder;
  std::ofstream(folder.path("incarnation")) << "9000000000000000000\n";
  EXPECT_EQ(begin_incarnation(folder.path(""))->value, 9'000'000'000'000'000'001U);
}

TEST(BeginIncarnation, a_broken_file_or_a_missing_directory_is_an_error) {
  const TemporaryFolder folder;
  EXPECT_FALSE(begin_incarnation(folder.path("none")).has_value());
  std::ofstream(folder.path("incarnation")) << "x";
  EXPECT_FALSE(begin_incarnation(folder.path("")).has_value());
}

}  // namespace
}  // namespace mallard::cli
