// One bit for each of `capacity` consecutive numbers after a moving base: number n is inside while
// base < n <= base + capacity. Positions are found by masking, so the capacity is a power of two, and a slot
// is cleared as the base passes it: a number that comes round again never sees an old bit.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/invariant.h"

namespace mallard {

class BitmapWindow {
 public:
  // `capacity` is a power of two, at least 64. The only allocation happens here.
  explicit BitmapWindow(std::size_t capacity, std::uint64_t base = 0)
      : words_(capacity / 64), mask_(capacity - 1), base_(base) {
    MALLARD_INVARIANT(capacity >= 64);
    MALLARD_INVARIANT(std::has_single_bit(capacity));
  }

  [[nodiscard]] std::uint64_t base() const { return base_; }
  [[nodiscard]] std::size_t capacity() const { return mask_ + 1; }
  [[nodiscard]] bool contains(std::uint64_t n) const { return n > base_ && n - base_ <= capacity(); }

  [[nodiscard]] bool test(std::uint64_t n) const {
    MALLARD_INVARIANT(contains(n));
    return ((words_[word_of(n)] >> (n & 63)) & 1U) != 0;
  }
  void set(std::uint64_t n) {
    MALLARD_INVARIANT(contains(n));
    words_[word_of(n)] |= 1ULL << (n & 63);
  }
  void reset(std::uint64_t n) {
    MALLARD_INVARIANT(contains(n));
    words_[word_of(n)] &= ~(1ULL << (n & 63));
  }

  // The 64 bits of numbers first .. first + 63, bit i for first + i; numbers outside the window read as 0.
  [[nodiscard]] std::uint64_t word_at(std::uint64_t first) const {
    std::uint64_t word = 0;
    const unsigned shift = first & 63;
    word = words_[word_of(first)] >> shift;
    if (shift != 0) {
      word |= words_[word_of(first + 64)] << (64 - shift);
    }
    return word & inside(first);
  }

  // Moves the base up to `base`, forgetting every number at or below it. It never moves down.
  void advance(std::uint64_t base) {
    MALLARD_INVARIANT(base >= base_);
    if (base - base_ >= capacity()) {
      for (std::uint64_t& word : words_) {
        word = 0;
      }
    } else {
      for (std::uint64_t n = base_ + 1; n <= base && n != 0; ++n) {
        words_[word_of(n)] &= ~(1ULL << (n & 63));
      }
    }
    base_ = base;
  }

  // The end of the run of set bits that starts right after the base; the base itself when that first bit is
  // clear.
  [[nodiscard]] std::uint64_t contiguous() const {
    std::uint64_t end = base_;
    while (end - base_ < capacity()) {
      const std::uint64_t word = word_at(end + 1);
      const auto run = static_cast<std::uint64_t>(std::countr_one(word));
      end += run;
      if (run < 64) {
        break;
      }
    }
    return end;
  }

  // The highest set number, or the base when none is set.
  [[nodiscard]] std::uint64_t highest() const {
    for (std::uint64_t offset = capacity(); offset >= 64; offset -= 64) {
      const std::uint64_t first = base_ + offset - 63;
      const std::uint64_t word = word_at(first);
      if (word != 0) {
        return first + 63 - static_cast<std::uint64_t>(std::countl_zero(word));
      }
    }
    return base_;
  }

  friend bool operator==(const BitmapWindow&, const BitmapWindow&) = default;

 private:
  [[nodiscard]] std::size_t word_of(std::uint64_t n) const { return (n & mask_) >> 6; }

  // Which of the 64 numbers from `first` on are inside the window.
  [[nodiscard]] std::uint64_t inside(std::uint64_t first) const {
    std::uint64_t mask = ~0ULL;
    if (first <= base_) {
      const std::uint64_t below = base_ - first + 1;
      mask = below >= 64 ? 0 : mask << below;
    }
    const std::uint64_t last = base_ + capacity();
    if (first > last) {
      return 0;
    }
    const std::uint64_t room = last - first + 1;
    if (room < 64) {
      mask &= (1ULL << room) - 1;
    }
    return mask;
  }

  std::vector<std::uint64_t> words_;
  std::uint64_t mask_;
  std::uint64_t base_;
};

}  // namespace mallard
