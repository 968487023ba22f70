#include "rsm/replica/journal/entry_table.h"

#include <gtest/gtest.h>

#include <map>

#include "config/base/prng.h"

namespace mallard::rsm::journal {
namespace {

EntryLocation at_lsn(std::uint64_t lsn) { return {.lsn = lsn}; }

TEST(EntryTable, unsafe_entries_hold_the_mark_back) {
  EntryTable table(8);
  for (const std::uint64_t lsn : {1U, 2U, 0U, 4U}) {
    table.push(at_lsn(lsn));
  }
  EXPECT_EQ(table.first_unsafe(EntryIndex(4), 4), EntryIndex(3));
  table.replace(EntryIndex(3), at_lsn(5));
  EXPECT_EQ(table.first_unsafe(EntryIndex(4), 4), EntryIndex(3)) << "the repair is not durable";
  EXPECT_EQ(table.first_unsafe(EntryIndex(4), 5), EntryIndex(5));
  table.replace(EntryIndex(1), {});
  EXPECT_EQ(table.first_unsafe(EntryIndex(4), 5), EntryIndex(1));
}

// Against a map, with random changes.
class TableTwin {
 public:
  explicit TableTwin(std::uint64_t seed) : prng_(seed) {}

  void change() {
    const std::uint64_t choice = prng_.below(10);
    if (choice < 6 && !table_.full()) {
      const std::uint64_t lsn = prng_.below(4) == 0 ? 0 : prng_.between(1, 100);
      table_.push(at_lsn(lsn));
      twin_[++last_] = lsn;
    } else if (choice < 7) {
      last_ = prng_.between(front_, last_);
      table_.cut_after(EntryIndex(last_));
      twin_.erase(twin_.upper_bound(last_), twin_.end());
    } else if (choice < 8) {
      front_ = prng_.between(front_, last_);
      table_.drop_front(EntryIndex(front_));
      twin_.erase(twin_.begin(), twin_.upper_bound(front_));
    } else if (!twin_.empty()) {
      const std::uint64_t index = prng_.between(front_ + 1, last_);
      twin_[index] = prng_.below(60);
      table_.replace(EntryIndex(index), at_lsn(twin_[index]));
    }
  }

  void compare() {
    ASSERT_EQ(table_.front().value, front_);
    ASSERT_EQ(table_.last().value, last_);
    std::uint64_t damaged = 0;
    for (const auto& [index, lsn] : twin_) {
      ASSERT_EQ(table_.at(EntryIndex(index)).lsn, lsn);
      damaged += lsn == 0 ? 1U : 0U;
    }
    ASSERT_EQ(table_.damaged(), damaged);
    // As in a journal, where the lsn of what is durable only grows.
    synced_ += prng_.below(2);
    std::uint64_t unsafe = front_ + 1;
    while (unsafe <= last_ && twin_[unsafe] != 0 && twin_[unsafe] <= synced_) {
      ++unsafe;
    }
    ASSERT_EQ(table_.first_unsafe(EntryIndex(last_), synced_).value, unsafe);
  }

 private:
  Prng prng_;
  EntryTable table_{32};
  std::map<std::uint64_t, std::uint64_t> twin_;
  std::uint64_t front_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t synced_ = 0;
};

TEST(EntryTable, agrees_with_a_map) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    TableTwin twin(seed);
    for (int step = 0; step < 400; ++step) {
      twin.change();
      twin.compare();
      ASSERT_FALSE(HasFatalFailure()) << "seed " << seed << " step " << step;
    }
  }
}

TEST(EntryTable, starts_again_after_any_front) {
  EntryTable table(2);
  table.push({});
  table.reset(EntryIndex(100));
  EXPECT_EQ(table.damaged(), 0U);
  table.push(at_lsn(1));
  table.push(at_lsn(2));
  EXPECT_TRUE(table.full());
  EXPECT_TRUE(table.holds(EntryIndex(102)));
  EXPECT_FALSE(table.holds(EntryIndex(100)));
}

}  // namespace
}  // namespace mallard::rsm::journal
