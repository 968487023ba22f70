#include "transport/door/request_table.h"

#include <gtest/gtest.h>

namespace mallard::transport::door {
namespace {

TEST(RequestTable, numbers_must_rise_and_are_closed_once) {
  RequestTable table(3);
  EXPECT_FALSE(table.open(0, 1));
  EXPECT_TRUE(table.open(5, 10));
  EXPECT_FALSE(table.open(5, 10)) << "open already";
  EXPECT_FALSE(table.open(4, 10)) << "numbers rise";
  EXPECT_TRUE(table.open(9, 20));
  EXPECT_EQ(table.bytes(), 30U);
  EXPECT_TRUE(table.is_open(5));
  EXPECT_TRUE(table.close(5));
  EXPECT_FALSE(table.is_open(5));
  EXPECT_FALSE(table.close(5));
  EXPECT_FALSE(table.open(5, 10)) << "not even after it was answered";
  EXPECT_EQ(table.bytes(), 20U);
  EXPECT_EQ(table.size(), 1U);
}

TEST(RequestTable, has_an_end) {
  RequestTable table(2);
  EXPECT_TRUE(table.open(1, 0));
  EXPECT_TRUE(table.open(2, 0));
  EXPECT_TRUE(table.full());
  EXPECT_FALSE(table.open(3, 0));
  EXPECT_TRUE(table.close(2));
  EXPECT_TRUE(table.open(3, 7)) << "a refused number was not used";
  table.clear();
  EXPECT_EQ(table.bytes(), 0U);
  EXPECT_TRUE(table.open(1, 0)) << "a new connection";
}

}  // namespace
}  // namespace mallard::transport::door
