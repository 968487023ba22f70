#include "transport/channel/channel_observer.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mallard::transport {
namespace {

TEST(CloseReason, has_a_name_for_each) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < close_reasons; ++i) {
    names.emplace(close_reason_name(static_cast<CloseReason>(i)));
  }
  EXPECT_EQ(names.size(), close_reasons);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(close_reason_name(static_cast<CloseReason>(close_reasons)), "unknown");
}

}  // namespace
}  // namespace mallard::transport
