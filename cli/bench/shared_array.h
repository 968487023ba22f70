// Memory that a process shares with the copies that it makes of itself afterwards (fork).
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <system_error>

namespace mallard::cli {

// `count` objects of T, which lie at the same address in this process and in all its later copies. Only for
// types that are ended by forgetting them. Pages that nobody writes take no memory.
template <class T>
class SharedArray {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  // Throws std::system_error when the machine has no room.
  explicit SharedArray(std::size_t count) : count_(count) {
    void* at = ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
      throw std::system_error(errno, std::generic_category(), "mmap");
    }
    objects_ = static_cast<T*>(at);
    std::uninitialized_default_construct_n(objects_, count);
  }
  ~SharedArray() { ::munmap(objects_, count_ * sizeof(T)); }
  SharedArray(const SharedArray&) = delete;
  SharedArray& operator=(const SharedArray&) = delete;

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] T& operator[](std::size_t i) const { return objects_[i]; }
  [[nodiscard]] T* begin() const { return objects_; }
  [[nodiscard]] T* end() const { return objects_ + count_; }

 private:
  T* objects_ = nullptr;
  std::size_t count_;
};

}  // namespace mallard::cli
