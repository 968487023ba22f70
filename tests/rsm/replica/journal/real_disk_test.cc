#include "rsm/replica/journal/real_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/support/scratch_directory.h"

namespace mallard::rsm::journal {
namespace {

std::unique_ptr<RealDisk> open_disk(const ScratchDirectory& directory) {
  auto disk = RealDisk::open_directory(directory.path());
  EXPECT_TRUE(disk);
  return std::move(*disk);
}

bool lists(Disk& disk, const FileName& name) {
  const auto names = disk.list();
  return names && std::find(names->begin(), names->end(), name) != names->end();
}

TEST(RealDisk, reads_back_what_was_written) {
  const ScratchDirectory directory;
  const auto disk = open_disk(directory);
  const auto file = disk->create(FileName("a"));
  ASSERT_TRUE(file);
  const std::array<std::byte, 3> bytes{std::byte{1}, std::byte{2}, std::byte{3}};
  ASSERT_TRUE(disk->write(*file, 5, bytes));
  ASSERT_TRUE(disk->sync(*file));
  ASSERT_TRUE(disk->sync_and_forget(*file));
  std::array<std::byte, 16> got{};
  EXPECT_EQ(disk->read(*file, 5, got).value(), 3U);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), got.begin()));
  EXPECT_EQ(disk->read(*file, 100, got).value(), 0U);
  disk->close(*file);
}

TEST(RealDisk, names_come_and_go) {
  const ScratchDirectory directory;
  const auto disk = open_disk(directory);
  EXPECT_EQ(disk->open(FileName("a")).error().fault, DiskFault::absent);
  disk->close(disk->create(FileName("a")).value());
  EXPECT_FALSE(disk->create(FileName("a")));
  ASSERT_TRUE(disk->rename(FileName("a"), FileName("b")));
  ASSERT_TRUE(disk->sync_directory());
  EXPECT_TRUE(lists(*disk, FileName("b")));
  EXPECT_FALSE(lists(*disk, FileName("a")));
  ASSERT_TRUE(disk->remove(FileName("b")));
  EXPECT_EQ(disk->remove(FileName("b")).error().fault, DiskFault::absent);
}

TEST(RealDisk, holds_the_lock_of_its_directory) {
  const ScratchDirectory directory;
  const auto disk = open_disk(directory);
  EXPECT_EQ(RealDisk::open_directory(directory.path()).error().fault, JournalFault::occupied);
}

TEST(RealDisk, links_are_not_followed) {
  const ScratchDirectory directory;
  std::filesystem::create_symlink("/dev/full", directory.path() / "link");
  const auto disk = open_disk(directory);
  // Links are not followed: what a directory holds is what is written to.
  EXPECT_EQ(disk->open(FileName("link")).error().fault, DiskFault::broken);
}

}  // namespace
}  // namespace mallard::rsm::journal
