#include "bridge/attach/file/directory_lock.h"

#include <gtest/gtest.h>

#include "tests/bridge/attach/file/scratch_directory.h"

namespace mallard::bridge::file {
namespace {

TEST(DirectoryLock, a_second_opener_is_told_that_the_directory_is_occupied) {
  const ScratchDirectory directory;
  {
    const auto first = DirectoryLock::take(directory.path());
    ASSERT_TRUE(first.has_value());
    const auto second = DirectoryLock::take(directory.path());
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().fault, StorageFault::occupied);
  }
  EXPECT_TRUE(DirectoryLock::take(directory.path()).has_value()) << "given up with the first";
}

TEST(DirectoryLock, a_directory_that_is_not_there_is_a_problem) {
  const ScratchDirectory directory;
  const auto lock = DirectoryLock::take(directory.path() / "none");
  ASSERT_FALSE(lock.has_value());
  EXPECT_EQ(lock.error().fault, StorageFault::machine);
}

}  // namespace
}  // namespace mallard::bridge::file
