// Exits with 77, the last line saying why, where nothing can be tested.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/integration/deployment/network_namespace.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (const auto space = mallard::integration::NetworkNamespace::create(); !space) {
    std::printf("nothing was tested: %s\n", space.error().c_str());
    return 77;
  }
  return RUN_ALL_TESTS();
}
