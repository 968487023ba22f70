// A vector whose room is decided by its type. It never allocates; pushing beyond its capacity is our bug.
#pragma once

#include <array>
#include <cstddef>

#include "config/base/invariant.h"

namespace mallard {

template <class T, std::size_t Capacity>
class FixedVector {
 public:
  using value_type = T;

  void push_back(const T& value) {
    MALLARD_INVARIANT(size_ < Capacity);
    items_[size_++] = value;
  }
  void pop_back() {
    MALLARD_INVARIANT(size_ > 0);
    --size_;
  }
  void clear() { size_ = 0; }

  T& operator[](std::size_t index) {
    MALLARD_INVARIANT(index < size_);
    return items_[index];
  }
  const T& operator[](std::size_t index) const {
    MALLARD_INVARIANT(index < size_);
    return items_[index];
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == Capacity; }
  [[nodiscard]] std::size_t room() const { return Capacity - size_; }
  static constexpr std::size_t capacity() { return Capacity; }

  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }
  const T* begin() const { return items_.data(); }
  const T* end() const { return items_.data() + size_; }
  T& back() { return (*this)[size_ - 1]; }

  friend bool operator==(const FixedVector& a, const FixedVector& b) {
    if (a.size_ != b.size_) {
      return false;
    }
    for (std::size_t i = 0; i < a.size_; ++i) {
      if (!(a.items_[i] == b.items_[i])) {
        return false;
      }
    }
    return true;
  }

 private:
  std::array<T, Capacity> items_{};
  std::size_t size_ = 0;
};

}  // namespace mallard
