#include "config/base/result.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace mallard {
namespace {

enum class Fault : std::uint8_t { odd };

Result<int, Fault> half_of(int number) {
  if (number % 2 != 0) {
    return Failure<Fault>(Fault::odd);
  }
  return number / 2;
}

TEST(Result, is_a_value_or_an_error) {
  EXPECT_EQ(half_of(8).value(), 4);
  ASSERT_FALSE(half_of(7).has_value());
  EXPECT_EQ(half_of(7).error(), Fault::odd);
}

TEST(Result, an_error_passes_through_what_follows) {
  EXPECT_EQ(half_of(12).and_then(half_of).value(), 3);
  EXPECT_EQ(half_of(6).and_then(half_of).error(), Fault::odd);
}

}  // namespace
}  // namespace mallard
