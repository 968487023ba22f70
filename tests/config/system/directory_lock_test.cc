#include "config/system/directory_lock.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/scratch_directory.h"

namespace mallard {
namespace {

TEST(DirectoryLock, second_holder_is_refused_and_told_who_holds_it) {
  const ScratchDirectory directory;
  {
    const auto first = DirectoryLock::take(directory.path());
    ASSERT_TRUE(first);
    const auto second = DirectoryLock::take(directory.path());
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error().occupied);
    EXPECT_THAT(second.error().what, testing::HasSubstr(fmt::format("process {} ", ::getpid())));
  }
  EXPECT_TRUE(DirectoryLock::take(directory.path()));
}

TEST(DirectoryLock, another_process_is_refused) {
  const ScratchDirectory directory;
  const auto lock = DirectoryLock::take(directory.path());
  ASSERT_TRUE(lock);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mine = DirectoryLock::take(directory.path());
    ::_exit(!mine && mine.error().occupied ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(DirectoryLock, missing_directory_is_an_error_of_the_machine) {
  const ScratchDirectory directory;
  const auto lock = DirectoryLock::take(directory.path() / "absent");
  ASSERT_FALSE(lock);
  EXPECT_FALSE(lock.error().occupied);
}

}  // namespace
}  // namespace mallard
