#include "tests/support/alloc_guard.h"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace mallard::support {
namespace {

struct alignas(128) WideLine {
  unsigned char bytes[128] = {};
};

TEST(AllocGuard, code_that_allocates_nothing_counts_zero) {
  std::vector<int> room(64);
  const AllocGuard guard;
  for (int& value : room) value = 7;
  EXPECT_EQ(guard.allocations(), 0U);
  EXPECT_EQ(guard.bytes(), 0U);
}

TEST(AllocGuard, every_form_of_new_counts) {
  const AllocGuard guard;
  // Direct calls: a compiler may drop new-expressions whose result is not needed.
  ::operator delete(::operator new(10));
  EXPECT_EQ(guard.allocations(), 1U);
  ::operator delete[](::operator new[](20));
  EXPECT_EQ(guard.allocations(), 2U);
  ::operator delete(::operator new(30, std::nothrow), std::nothrow);
  EXPECT_EQ(guard.allocations(), 3U);
  ::operator delete (::operator new (40, std::align_val_t{64}), std::align_val_t{64});
  EXPECT_EQ(guard.allocations(), 4U);
  EXPECT_EQ(guard.bytes(), 100U);
}

TEST(AllocGuard, containers_strings_and_aligned_objects_count) {
  const AllocGuard guard;
  const std::vector<int> numbers(100);
  const std::string text(100, 'x');
  const auto line = std::make_unique<WideLine>();
  EXPECT_EQ(guard.allocations(), 3U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(line.get()) % 128, 0U);
}

TEST(AllocGuard, a_guard_counts_from_its_own_start) {
  const AllocGuard outer;
  const std::vector<int> before(10);
  const AllocGuard inner;
  const std::vector<int> after(10);
  EXPECT_EQ(inner.allocations(), 1U);
  EXPECT_EQ(outer.allocations(), 2U);
}

TEST(AllocGuard, other_threads_do_not_count) {
  std::vector<int> target;
  std::uint64_t allocated_there = 0;
  std::uint64_t allocated_here = 0;
  {
    const AllocGuard guard;
    std::thread other([&] {
      const AllocGuard inside;
      target.resize(1000);
      allocated_there = inside.allocations();
    });
    other.join();
    allocated_here = guard.allocations();
  }
  EXPECT_EQ(allocated_there, 1U);
  EXPECT_EQ(allocated_here, 1U) << "the thread's own start costs this thread one allocation, resize none";
}

}  // namespace
}  // namespace mallard::support
