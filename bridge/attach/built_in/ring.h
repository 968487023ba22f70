// A queue of fixed capacity whose items can be looked at in place.
#pragma once

#include <cstddef>
#include <vector>

#include "config/base/invariant.h"

namespace mallard::bridge::built_in {

template <class T>
class Ring {
 public:
  // Allocates room for `capacity` items, at least one.
  explicit Ring(std::size_t capacity) : items_(capacity) { MALLARD_INVARIANT(capacity > 0); }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] bool full() const { return size_ == items_.size(); }
  [[nodiscard]] std::size_t capacity() const { return items_.size(); }

  void push(const T& item) {
    MALLARD_INVARIANT(!full());
    items_[(first_ + size_) % items_.size()] = item;
    ++size_;
  }
  // The item at `position`, 0 is the oldest.
  [[nodiscard]] const T& operator[](std::size_t position) const {
    MALLARD_INVARIANT(position < size_);
    return items_[(first_ + position) % items_.size()];
  }
  T pop() {
    MALLARD_INVARIANT(size_ > 0);
    const T item = items_[first_];
    first_ = (first_ + 1) % items_.size();
    --size_;
    return item;
  }

 private:
  std::vector<T> items_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace mallard::bridge::built_in
