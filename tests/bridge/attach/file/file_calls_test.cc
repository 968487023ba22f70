#include "bridge/attach/file/file_calls.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/bridge/attach/file/log_bytes.h"

namespace mallard::bridge::file {
namespace {

TEST(FileCalls, closes_with_its_last_owner) {
  const ScratchDirectory directory;
  int number = -1;
  {
    auto file = open_file(directory.path() / "f", O_RDWR | O_CREAT);
    ASSERT_TRUE(file.has_value());
    const FileDescriptor moved = std::move(*file);
    number = moved.number();
    EXPECT_GE(::fcntl(number, F_GETFD), 0);
    EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_LT(::fcntl(number, F_GETFD), 0);
}

TEST(FileCalls, reads_what_there_is) {
  const ScratchDirectory directory;
  write_file(directory.path() / "f", "hello");
  const auto file = open_file(directory.path() / "f", O_RDONLY);
  std::array<std::byte, 8> bytes{};
  EXPECT_EQ(*read_at(*file, "f", 1, bytes), 4U);
  EXPECT_EQ(*read_at(*file, "f", 9, bytes), 0U);
  EXPECT_EQ(*size_of(*file, "f"), 5U);
}

TEST(FileCalls, problems_name_path_and_cause) {
  const auto file = open_file("/nowhere/at/all", O_RDONLY);
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().what, "/nowhere/at/all: open failed: No such file or directory");
  EXPECT_FALSE(sync_directory("/nowhere/at/all").has_value());
}

}  // namespace
}  // namespace mallard::bridge::file
