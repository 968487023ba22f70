#include "transport/memory/shm/shared_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace mallard::memory {
namespace {

using Writers = SharedMemory::Writers;

FileDescriptor copy_of(int fd) { return FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

TEST(SharedMemory, two_mappings_show_the_same_bytes) {
  const auto made = SharedMemory::create("test", 8192, Writers::holders_of_fd);
  ASSERT_TRUE(made) << made.error().what;
  const auto seen = SharedMemory::attach(copy_of(made->fd()), 8192, true);
  ASSERT_TRUE(seen) << seen.error().what;
  EXPECT_EQ(made->bytes()[8191], std::byte{0});
  made->bytes()[0] = std::byte{1};
  seen->bytes()[8191] = std::byte{2};
  EXPECT_EQ(seen->bytes()[0], std::byte{1});
  EXPECT_EQ(made->bytes()[8191], std::byte{2});
}

TEST(SharedMemory, only_its_maker_writes_what_is_sealed) {
  const auto made = SharedMemory::create("test", 4096, Writers::maker_only);
  ASSERT_TRUE(made);
  EXPECT_FALSE(SharedMemory::attach(copy_of(made->fd()), 4096, true));
  // Not even by opening it anew.
  FileDescriptor again(::open(fmt::format("/proc/self/fd/{}", made->fd()).c_str(), O_RDWR | O_CLOEXEC));
  if (again.is_open()) {
    EXPECT_EQ(::pwrite(again.number(), "x", 1, 0), -1);
    EXPECT_FALSE(SharedMemory::attach(std::move(again), 4096, true));
  }
  const auto seen = SharedMemory::attach(copy_of(made->fd()), 4096, false);
  ASSERT_TRUE(seen);
  EXPECT_NE(::mprotect(seen->bytes().data(), 4096, PROT_READ | PROT_WRITE), 0);
  made->bytes()[5] = std::byte{5};
  EXPECT_EQ(seen->bytes()[5], std::byte{5});
}

TEST(SharedMemory, who_may_only_read_gets_a_descriptor_that_can_only_read) {
  const auto made = SharedMemory::create("test", 4096, Writers::holders_of_fd);
  ASSERT_TRUE(made);
  auto fd = made->read_only_fd();
  ASSERT_TRUE(fd);
  EXPECT_FALSE(SharedMemory::attach(copy_of(fd->number()), 4096, true));
  EXPECT_TRUE(SharedMemory::attach(std::move(*fd), 4096, false));
}

TEST(SharedMemory, nobody_changes_its_size_or_its_seals) {
  const auto made = SharedMemory::create("test", 4096, Writers::holders_of_fd);
  ASSERT_TRUE(made);
  EXPECT_NE(::ftruncate(made->fd(), 0), 0);
  EXPECT_NE(::ftruncate(made->fd(), 8192), 0);
  EXPECT_NE(::fcntl(made->fd(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE), 0);
}

TEST(SharedMemory, what_is_too_small_or_may_shrink_is_not_attached) {
  const auto made = SharedMemory::create("test", 4096, Writers::holders_of_fd);
  ASSERT_TRUE(made);
  EXPECT_FALSE(SharedMemory::attach(copy_of(made->fd()), 8192, true));
  FileDescriptor unsealed(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(unsealed.number(), 4096), 0);
  EXPECT_FALSE(SharedMemory::attach(std::move(unsealed), 4096, true));
  EXPECT_FALSE(SharedMemory::attach(FileDescriptor(), 4096, true));
}

TEST(SharedMemory, more_than_the_machine_has_is_refused_at_the_start) {
  const auto made = SharedMemory::create("test", std::size_t{1} << 62, Writers::maker_only);
  ASSERT_FALSE(made);
  EXPECT_FALSE(made.error().what.empty());
}

}  // namespace
}  // namespace mallard::memory
