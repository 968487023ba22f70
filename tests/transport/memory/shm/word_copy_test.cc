#include "transport/memory/shm/word_copy.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::memory {
namespace {

ByteSpan bytes_of(std::span<std::uint64_t> words) { return std::as_writable_bytes(words); }

TEST(WordCopy, goes_in_out_and_across) {
  std::array<std::uint64_t, 4> shared{};
  std::array<std::uint64_t, 4> other{};
  std::array<std::uint64_t, 4> seen{};
  const std::array<std::uint64_t, 3> source{1, 2, 3};
  copy_in(bytes_of(shared).subspan(8), std::as_bytes(std::span(source)));
  EXPECT_EQ(shared, (std::array<std::uint64_t, 4>{0, 1, 2, 3}));
  copy_shared(bytes_of(other), bytes_of(shared));
  copy_out(bytes_of(seen), bytes_of(other));
  EXPECT_EQ(seen, shared);
}

TEST(WordCopy, private_sides_need_no_alignment) {
  std::array<std::uint64_t, 2> shared{};
  std::array<std::byte, 17> raw{};
  raw[1] = std::byte{7};
  copy_in(bytes_of(shared), ByteView(raw).subspan(1));
  EXPECT_EQ(shared[0], 7U);
  std::array<std::byte, 17> back{};
  copy_out(ByteSpan(back).subspan(1), bytes_of(shared));
  EXPECT_EQ(back, raw);
}

TEST(WordCopy, swaps_only_what_is_expected_and_says_what_was) {
  std::array<std::uint64_t, 2> shared{5, 6};
  EXPECT_EQ(swap_word(bytes_of(shared), 8, 7, 9), 6U);
  EXPECT_EQ(shared[1], 6U);
  EXPECT_EQ(swap_word(bytes_of(shared), 8, 6, 9), 6U);
  EXPECT_EQ(shared[1], 9U);
}

}  // namespace
}  // namespace mallard::memory
