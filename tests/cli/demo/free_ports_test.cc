#include "cli/demo/free_ports.h"

#include <gtest/gtest.h>

#include <set>

namespace mallard::cli {
namespace {

TEST(FindFreePorts, gives_as_many_different_ones_as_were_asked_for) {
  const auto ports = find_free_ports(50);
  EXPECT_EQ(std::set<std::uint16_t>(ports.begin(), ports.end()).size(), 50U);
  for (const std::uint16_t port : ports) {
    EXPECT_GE(port, 10'000);
  }
}

}  // namespace
}  // namespace mallard::cli
