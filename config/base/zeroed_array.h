// Room for a fixed number of items that all begin as zero bytes, for tables that are large so that they are
// never too small, and mostly unused: what has not been written to takes addresses and no memory.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

#include "config/base/invariant.h"

namespace mallard {

// Items are bytes that may be copied and forgotten; all of them zero must be one of their values.
template <class T>
class ZeroedArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  // Throws std::bad_alloc where there is no room. At least one item.
  explicit ZeroedArray(std::size_t size)
      : items_(static_cast<T*>(std::calloc(size, sizeof(T)))), size_(size) {
    MALLARD_INVARIANT(size > 0);
    if (items_ == nullptr) {
      throw std::bad_alloc();
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] T* data() { return items_.get(); }
  [[nodiscard]] const T* data() const { return items_.get(); }
  [[nodiscard]] T& operator[](std::size_t position) {
    MALLARD_INVARIANT(position < size_);
    return items_[position];
  }
  [[nodiscard]] const T& operator[](std::size_t position) const {
    MALLARD_INVARIANT(position < size_);
    return items_[position];
  }

 private:
  struct Free {
    void operator()(T* items) const { std::free(items); }
  };

  std::unique_ptr<T[], Free> items_;
  std::size_t size_;
};

}  // namespace mallard
