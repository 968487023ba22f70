#include "config/base/bitmap_window.h"

#include <gtest/gtest.h>

#include <set>

#include "config/base/prng.h"

namespace mallard {
namespace {

// The dumb twin: a set of numbers, no masks.
class NumberSet {
 public:
  NumberSet(std::uint64_t capacity, std::uint64_t base) : capacity_(capacity), base_(base) {}

  [[nodiscard]] bool contains(std::uint64_t n) const { return n > base_ && n - base_ <= capacity_; }
  [[nodiscard]] bool test(std::uint64_t n) const { return numbers_.count(n) != 0; }
  void set(std::uint64_t n) { numbers_.insert(n); }
  void reset(std::uint64_t n) { numbers_.erase(n); }
  void advance(std::uint64_t base) {
    base_ = base;
    numbers_.erase(numbers_.begin(), numbers_.upper_bound(base));
  }
  [[nodiscard]] std::uint64_t word_at(std::uint64_t first) const {
    std::uint64_t word = 0;
    for (std::uint64_t i = 0; i < 64; ++i) {
      word |= test(first + i) ? 1ULL << i : 0;
    }
    return word;
  }
  [[nodiscard]] std::uint64_t contiguous() const {
    std::uint64_t end = base_;
    while (test(end + 1)) {
      ++end;
    }
    return end;
  }
  [[nodiscard]] std::uint64_t highest() const { return numbers_.empty() ? base_ : *numbers_.rbegin(); }

 private:
  std::uint64_t capacity_;
  std::uint64_t base_;
  std::set<std::uint64_t> numbers_;
};

struct TwinCase {
  std::uint64_t capacity;
  std::uint64_t base;
};

class BitmapWindowTwin : public testing::TestWithParam<TwinCase> {};

void expect_equal(const BitmapWindow& window, const NumberSet& twin, std::uint64_t probe) {
  ASSERT_EQ(window.contiguous(), twin.contiguous());
  ASSERT_EQ(window.highest(), twin.highest());
  ASSERT_EQ(window.contains(probe), twin.contains(probe)) << probe;
  ASSERT_EQ(window.word_at(probe), twin.word_at(probe)) << probe;
  if (window.contains(probe)) {
    ASSERT_EQ(window.test(probe), twin.test(probe)) << probe;
  }
}

TEST_P(BitmapWindowTwin, agrees_with_a_set_of_numbers) {
  const auto [capacity, base] = GetParam();
  BitmapWindow window(capacity, base);
  NumberSet twin(capacity, base);
  Prng random(capacity + base);
  for (int turn = 0; turn < 20'000; ++turn) {
    const std::uint64_t n = window.base() + random.between(1, capacity);
    if (random.below(4) == 0) {
      window.reset(n);
      twin.reset(n);
    } else {
      window.set(n);
      twin.set(n);
    }
    if (random.below(8) == 0) {
      // Mostly short steps, sometimes over everything, sometimes exactly around the capacity.
      const std::uint64_t leap = random.below(10) == 0 ? capacity - 1 + random.below(3) : random.below(80);
      const std::uint64_t to = random.below(3) == 0 ? window.contiguous() : window.base() + leap;
      window.advance(to);
      twin.advance(to);
    }
    const std::uint64_t low = window.base() < 100 ? 0 : window.base() - 100;
    expect_equal(window, twin, random.between(low, window.base() + capacity + 100));
    if (HasFatalFailure()) {
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Bases, BitmapWindowTwin,
                         testing::Values(TwinCase{64, 0}, TwinCase{128, 0}, TwinCase{1024, 0},
                                         TwinCase{64, (1ULL << 31) - 70}, TwinCase{256, (1ULL << 31) - 1000},
                                         TwinCase{64, (1ULL << 32) - 70}, TwinCase{256, (1ULL << 32) - 1000},
                                         TwinCase{64, (1ULL << 63) - 70}, TwinCase{256, (1ULL << 63) - 1000},
                                         TwinCase{8192, (1ULL << 63) - 9000}));

TEST(BitmapWindow, holds_exactly_its_capacity_after_its_base) {
  const BitmapWindow window(64, 10);
  EXPECT_FALSE(window.contains(10));
  EXPECT_TRUE(window.contains(11));
  EXPECT_TRUE(window.contains(74));
  EXPECT_FALSE(window.contains(75));
}

TEST(BitmapWindow, a_number_that_comes_round_again_sees_no_old_bit) {
  BitmapWindow window(64);
  window.set(3);
  window.advance(5);
  EXPECT_TRUE(window.contains(3 + 64));
  EXPECT_FALSE(window.test(3 + 64));
}

TEST(BitmapWindow, a_full_window_is_one_run) {
  BitmapWindow window(64, 7);
  for (std::uint64_t n = 8; n <= 71; ++n) {
    window.set(n);
  }
  EXPECT_EQ(window.contiguous(), 71U);
  EXPECT_EQ(window.highest(), 71U);
  window.advance(71);
  EXPECT_EQ(window.contiguous(), 71U);
  EXPECT_EQ(window.highest(), 71U);
}

TEST(BitmapWindow, equality_is_by_what_it_says) {
  BitmapWindow one(64);
  BitmapWindow other(64);
  one.set(9);
  EXPECT_FALSE(one == other);
  other.set(9);
  EXPECT_TRUE(one == other);
}

TEST(BitmapWindowDeathTest, misuse_is_our_bug) {
  BitmapWindow window(64, 10);
  EXPECT_DEATH(window.set(10), "contains");
  EXPECT_DEATH(static_cast<void>(window.test(75)), "contains");
  EXPECT_DEATH(window.advance(9), "base >= base_");
  EXPECT_DEATH(BitmapWindow(96), "has_single_bit");
  EXPECT_DEATH(BitmapWindow(32), "capacity >= 64");
}

}  // namespace
}  // namespace mallard
