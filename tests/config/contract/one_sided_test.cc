#include "config/contract/one_sided.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::memory {
namespace {

TEST(OneSidedWords, what_is_stored_is_loaded_and_nothing_beside_it_changes) {
  std::array<std::uint64_t, 3> words{1, 2, 3};
  const ByteSpan bytes = std::as_writable_bytes(std::span(words));
  store_word(bytes, 8, 9);
  EXPECT_EQ(words, (std::array<std::uint64_t, 3>{1, 9, 3}));
  EXPECT_EQ(load_word(bytes, 8), 9U);
  EXPECT_EQ(load_word(bytes, 16), 3U);
}

TEST(OneSidedWordsDeathTest, a_word_outside_or_askew_is_our_bug) {
  std::array<std::uint64_t, 2> words{};
  const ByteSpan bytes = std::as_writable_bytes(std::span(words));
  EXPECT_DEATH(static_cast<void>(load_word(bytes, 16)), "invariant broken");
  EXPECT_DEATH(static_cast<void>(load_word(bytes, 4)), "invariant broken");
  EXPECT_DEATH(store_word(bytes.first(12), 8, 1), "invariant broken");
}

TEST(OneSidedCapabilities, nothing_is_promised_by_default) {
  const Capabilities none;
  EXPECT_FALSE(none.compare_swap || none.dynamic_grants || none.independent_of_process ||
               none.survives_process || none.enforced_rights);
  EXPECT_EQ(none.inline_bytes, 0U);
}

}  // namespace
}  // namespace mallard::memory
