#include "bridge/attach/file/checked_entries.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/base/prng.h"

namespace mallard::bridge::file {
namespace {

// An entry's bytes follow from its number.
std::vector<std::byte> payload_of(std::uint64_t number, std::size_t bytes) {
  return std::vector<std::byte>(bytes, static_cast<std::byte>(number % 251));
}

TEST(CheckedEntries, knows_nothing_at_first) {
  const CheckedEntries entries;
  EXPECT_EQ(entries.find(0), nullptr);
  EXPECT_EQ(entries.find(1), nullptr);
}

TEST(CheckedEntries, keeps_the_newest_and_never_gives_other_bytes) {
  for (const std::uint64_t seed : {1U, 2U}) {
    Prng prng(seed);
    CheckedEntries entries;
    std::vector<std::size_t> sizes{0};
    for (std::uint64_t number = 1; number <= 120; ++number) {
      const std::uint64_t most = prng.below(4) == 0 ? record_payload_bytes_max : 300'000;
      sizes.push_back(1 + static_cast<std::size_t>(prng.below(most)));
      entries.add(payload_of(number, sizes.back()), {.offset = number * 7, .number = number});
      std::size_t newer = 0;
      for (std::uint64_t n = number; n >= 1; --n) {
        const CheckedEntry* found = entries.find(n);
        newer += sizes[n];
        if (found == nullptr) {
          // What was forgotten had to be: it does not fit beside what came after it and a gap at the end.
          ASSERT_GT(newer + record_payload_bytes_max, CheckedEntries::bytes_max) << n;
          ASSERT_EQ(entries.find(n - 1), nullptr);
          break;
        }
        ASSERT_EQ(found->after.offset, n * 7);
        ASSERT_EQ(found->payload.size(), sizes[n]);
        ASSERT_EQ(found->payload.front(), payload_of(n, 1).front());
        ASSERT_EQ(found->payload.back(), payload_of(n, 1).front());
        ASSERT_TRUE(number % 40 != 0 || std::ranges::equal(found->payload, payload_of(n, sizes[n])));
      }
      ASSERT_NE(entries.find(number), nullptr);
      ASSERT_EQ(entries.find(number + 1), nullptr);
    }
  }
}

TEST(CheckedEntries, bounds_the_number_of_small_entries) {
  CheckedEntries entries;
  constexpr std::uint64_t last = 3 * CheckedEntries::entries_max + 5;
  for (std::uint64_t number = 1; number <= last; ++number) {
    entries.add(payload_of(number, 1), {.number = number});
  }
  EXPECT_EQ(entries.find(last - CheckedEntries::entries_max), nullptr);
  ASSERT_NE(entries.find(last - CheckedEntries::entries_max + 1), nullptr);
  EXPECT_EQ(entries.find(last)->payload.front(), payload_of(last, 1).front());
}

}  // namespace
}  // namespace mallard::bridge::file
