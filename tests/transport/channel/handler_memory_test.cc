#include "transport/channel/handler_memory.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/alloc_guard.h"

namespace mallard::transport {
namespace {

TEST(HandlerMemory, serves_four_small_blocks_without_the_heap_and_the_rest_from_it) {
  HandlerMemory memory;
  std::vector<void*> blocks;
  blocks.reserve(6);
  const support::AllocGuard guard;
  for (int i = 0; i < 4; ++i) {
    blocks.push_back(memory.allocate(200));
  }
  EXPECT_EQ(guard.allocations(), 0U);
  blocks.push_back(memory.allocate(200));
  EXPECT_EQ(guard.allocations(), 1U);
  memory.deallocate(blocks[2]);
  blocks[2] = memory.allocate(1000);
  EXPECT_EQ(guard.allocations(), 2U);
  blocks.push_back(memory.allocate(10));
  EXPECT_EQ(guard.allocations(), 2U) << "the block that was given back";
  for (void* const block : blocks) {
    memory.deallocate(block);
  }
}

TEST(HandlerMemory, works_as_an_allocator_of_the_standard) {
  HandlerMemory memory;
  const support::AllocGuard guard;
  std::vector<int, HandlerAllocator<int>> numbers{HandlerAllocator<int>(memory)};
  numbers.reserve(20);
  EXPECT_EQ(guard.allocations(), 0U);
  numbers.assign(20, 3);
  EXPECT_EQ(numbers[19], 3);
}

}  // namespace
}  // namespace mallard::transport
