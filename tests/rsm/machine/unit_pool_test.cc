#include "rsm/machine/unit_pool.h"

#include <gtest/gtest.h>

#include <set>

namespace mallard::rsm {
namespace {

TEST(UnitPool, gives_each_unit_once_until_it_comes_back) {
  UnitPool pool(3);
  std::set<UnitIndex> taken{pool.take(), pool.take(), pool.take()};
  EXPECT_EQ(taken.size(), 3U);
  EXPECT_FALSE(taken.contains(0));
  EXPECT_EQ(pool.take(), 0U);
  EXPECT_EQ(pool.taken(), 3U);
  const UnitIndex one = *taken.begin();
  pool.give(one);
  EXPECT_EQ(pool.taken(), 2U);
  EXPECT_EQ(pool.take(), one);
  EXPECT_EQ(pool.take(), 0U);
}

TEST(UnitPool, has_all_units_after_it_was_cleared) {
  UnitPool pool(2);
  EXPECT_NE(pool.take(), 0U);
  EXPECT_NE(pool.take(), 0U);
  pool.clear();
  EXPECT_EQ(pool.taken(), 0U);
  EXPECT_NE(pool.take(), 0U);
  EXPECT_NE(pool.take(), 0U);
  EXPECT_EQ(pool.take(), 0U);
}

TEST(UnitPoolDeath, giving_back_what_was_never_taken_is_our_bug) {
  UnitPool pool(2);
  EXPECT_DEATH(pool.give(1), "unit");
}

}  // namespace
}  // namespace mallard::rsm
