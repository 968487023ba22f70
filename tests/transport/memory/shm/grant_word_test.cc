#include "transport/memory/shm/grant_word.h"

#include <gtest/gtest.h>

namespace mallard::memory {
namespace {

TEST(GrantWord, holds_what_it_was_made_of) {
  const GrantWord word = GrantWord::of(123456789, 63, 250);
  EXPECT_EQ(word.sequence(), 123456789U);
  EXPECT_EQ(word.holder(), 63U);
  EXPECT_EQ(word.instance(), 250U);
}

TEST(GrantWord, a_later_grant_is_greater_whoever_holds_it) {
  EXPECT_GT(GrantWord::of(2, 0, 0).value, GrantWord::of(1, GrantWord::nobody, GrantWord::moving).value);
}

TEST(GrantWord, a_life_begins_where_it_has_room_left) {
  const std::uint64_t first = first_grant_sequence();
  EXPECT_GT(first, 0U);
  EXPECT_LT(first, std::uint64_t{1} << 47);
}

}  // namespace
}  // namespace mallard::memory
