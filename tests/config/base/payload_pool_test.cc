#include "config/base/payload_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "config/base/prng.h"

namespace mallard {
namespace {

constexpr std::size_t unit = PayloadPool::unit_bytes;

// The dumb twin: one flag per unit. It knows nothing of blocks; it answers which space is taken, and whether
// an aligned block of a size is free.
class UnitMap {
 public:
  explicit UnitMap(std::size_t capacity) : taken_(capacity / unit, false) {}

  // True when every unit of the range had the opposite state before.
  bool mark(std::size_t first_byte, std::size_t bytes, bool taken) {
    bool clean = true;
    for (std::size_t i = first_byte / unit; i < (first_byte + bytes + unit - 1) / unit; ++i) {
      clean = clean && taken_[i] != taken;
      taken_[i] = taken;
    }
    return clean;
  }
  [[nodiscard]] std::size_t free_bytes() const {
    return static_cast<std::size_t>(std::count(taken_.begin(), taken_.end(), false)) * unit;
  }
  [[nodiscard]] bool has_aligned_block_for(std::size_t bytes) const {
    std::size_t block = 1;
    while (block * unit < bytes) {
      block *= 2;
    }
    for (std::size_t first = 0; first + block <= taken_.size(); first += block) {
      const auto from = taken_.begin() + static_cast<std::ptrdiff_t>(first);
      if (std::none_of(from, from + static_cast<std::ptrdiff_t>(block), [](bool taken) { return taken; })) {
        return true;
      }
    }
    return false;
  }

 private:
  std::vector<bool> taken_;
};

struct LiveSlot {
  PayloadRef ref;
  std::byte fill{};
  int owners = 1;
};

class PayloadPoolTwin : public testing::TestWithParam<std::size_t> {
 protected:
  std::size_t capacity_ = GetParam();
  PayloadPool pool_{capacity_};
  UnitMap map_{pool_.capacity()};
  std::vector<LiveSlot> live_;
  Prng prng_{20261121};
  const std::byte* arena_ = first_byte();

  // Where the arena starts: the first slot of a fresh pool.
  const std::byte* first_byte() {
    const PayloadRef ref = pool_.allocate(PayloadPool::slot_bytes_max).value();
    const std::byte* start = pool_.view(ref).data() - (ref.slot - 1) * unit;
    pool_.release(ref);
    return start;
  }

  std::size_t draw_bytes() {
    const std::uint64_t order = prng_.below(22);
    return 1 + prng_.below(std::min(PayloadPool::slot_bytes_max, std::size_t{2} << order));
  }

  void allocate_one() {
    const std::size_t bytes = draw_bytes();
    const bool expected = map_.has_aligned_block_for(bytes);
    const std::optional<PayloadRef> ref = pool_.allocate(bytes);
    ASSERT_EQ(ref.has_value(), expected) << bytes << " bytes of " << pool_.free_bytes();
    if (!ref) {
      return;
    }
    ASSERT_EQ(ref->bytes, bytes);
    const auto offset = static_cast<std::size_t>(pool_.view(*ref).data() - arena_);
    ASSERT_TRUE(map_.mark(offset, bytes, true)) << "slots overlap";
    const auto fill = static_cast<std::byte>(prng_.below(256));
    std::memset(pool_.span(*ref).data(), std::to_integer<int>(fill), bytes);
    live_.push_back({*ref, fill});
  }

  void release_one() {
    const std::size_t at = prng_.below(live_.size());
    LiveSlot& slot = live_[at];
    const ByteView bytes = pool_.view(slot.ref);
    ASSERT_TRUE(std::all_of(bytes.begin(), bytes.end(), [&](std::byte b) { return b == slot.fill; }));
    if (--slot.owners == 0) {
      ASSERT_TRUE(map_.mark(static_cast<std::size_t>(bytes.data() - arena_), slot.ref.bytes, false));
      pool_.release(slot.ref);
      slot = live_.back();
      live_.pop_back();
    } else {
      pool_.release(slot.ref);
    }
  }
};

TEST_P(PayloadPoolTwin, agrees_with_one_flag_per_unit) {
  for (int step = 0; step < 3000; ++step) {
    const std::uint64_t what = prng_.below(20);
    if (what < 10 || live_.empty()) {
      ASSERT_NO_FATAL_FAILURE(allocate_one());
    } else if (what < 18) {
      ASSERT_NO_FATAL_FAILURE(release_one());
    } else {
      LiveSlot& slot = live_[prng_.below(live_.size())];
      pool_.retain(slot.ref);
      ++slot.owners;
    }
    ASSERT_EQ(pool_.free_bytes(), map_.free_bytes());
  }
  while (!live_.empty()) {
    ASSERT_NO_FATAL_FAILURE(release_one());
  }
  EXPECT_EQ(pool_.free_bytes(), pool_.capacity());
  for (std::size_t i = 0; i < pool_.capacity() / PayloadPool::slot_bytes_max; ++i) {
    EXPECT_TRUE(pool_.allocate(PayloadPool::slot_bytes_max).has_value()) << "blocks did not merge again";
  }
}

INSTANTIATE_TEST_SUITE_P(capacities, PayloadPoolTwin,
                         testing::Values(2U << 20, 8U << 20, (8U << 20) + 12'345, (5U << 20) - 1));

TEST(PayloadPool, a_slot_wastes_less_than_one_unit) {
  PayloadPool pool(2U << 20);
  const PayloadRef ref = pool.allocate((1U << 20) + 1).value();
  EXPECT_EQ(pool.free_bytes(), pool.capacity() - (1U << 20) - unit);
  EXPECT_TRUE(pool.allocate(512U << 10).has_value()) << "the end of the block is usable";
  pool.release(ref);
}

TEST(PayloadPool, the_empty_reference_is_harmless) {
  PayloadPool pool(2U << 20);
  const PayloadRef empty = pool.allocate(0).value();
  EXPECT_EQ(empty, PayloadRef{});
  EXPECT_TRUE(pool.view(empty).empty());
  EXPECT_TRUE(pool.span(empty).empty());
  pool.retain(empty);
  pool.release(empty);
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

TEST(PayloadPool, refuses_what_no_slot_can_hold) {
  PayloadPool pool(4U << 20);
  EXPECT_FALSE(pool.allocate(PayloadPool::slot_bytes_max + 1).has_value());
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

TEST(PayloadPoolDeathTest, aborts_on_a_second_release_and_on_a_stretched_reference) {
  PayloadPool pool(2U << 20);
  const PayloadRef ref = pool.allocate(1000).value();
  EXPECT_DEATH(static_cast<void>(pool.view({ref.slot, ref.bytes + 1})), "ref.bytes");
  EXPECT_EQ(pool.view({ref.slot, 10}).size(), 10U);
  pool.release(ref);
  EXPECT_DEATH(pool.release(ref), "UnitState::slot");
}

}  // namespace
}  // namespace mallard
