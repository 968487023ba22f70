// Memory for the few waits that a channel has pending in Asio, so that waiting allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace mallard::transport {

// Four blocks: reading, writing, and one each that a closed channel may leave behind. More than that, or
// anything larger, comes from the heap, which is slower and otherwise the same.
class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(const HandlerMemory&) = delete;
  HandlerMemory& operator=(const HandlerMemory&) = delete;

  void* allocate(std::size_t bytes) {
    if (bytes <= block_bytes) {
      for (Block& block : blocks_) {
        if (!block.taken) {
          block.taken = true;
          return block.bytes.data();
        }
      }
    }
    return ::operator new(bytes);
  }
  void deallocate(void* memory) {
    for (Block& block : blocks_) {
      if (memory == block.bytes.data()) {
        block.taken = false;
        return;
      }
    }
    ::operator delete(memory);
  }

 private:
  static constexpr std::size_t block_bytes = 256;
  struct Block {
    alignas(std::max_align_t) std::array<std::byte, block_bytes> bytes;
    bool taken = false;
  };
  std::array<Block, 4> blocks_{};
};

// The standard's allocator interface to it.
template <class T>
class HandlerAllocator {
 public:
  using value_type = T;
  explicit HandlerAllocator(HandlerMemory& memory) : memory_(&memory) {}
  // Implicit, as the standard wants it.
  template <class U>
  HandlerAllocator(const HandlerAllocator<U>& other)  // NOLINT(google-explicit-constructor)
      : memory_(other.memory()) {}

  T* allocate(std::size_t count) { return static_cast<T*>(memory_->allocate(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t /*count*/) { memory_->deallocate(memory); }
  [[nodiscard]] HandlerMemory* memory() const { return memory_; }
  template <class U>
  friend bool operator==(const HandlerAllocator& a, const HandlerAllocator<U>& b) {
    return a.memory() == b.memory();
  }

 private:
  HandlerMemory* memory_;
};

}  // namespace mallard::transport
