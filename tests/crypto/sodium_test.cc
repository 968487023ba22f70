#include "crypto/sodium.h"

#include <gtest/gtest.h>
#include <sodium.h>

namespace mallard::crypto {
namespace {

TEST(Sodium, starts_and_may_be_started_again) {
  EXPECT_NO_THROW(start_sodium());
  EXPECT_NO_THROW(start_sodium());
  EXPECT_EQ(sodium_init(), 1) << "it was running already";
}

}  // namespace
}  // namespace mallard::crypto
