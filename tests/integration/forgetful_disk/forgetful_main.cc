// The main function of tests that need a forgetful disk.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/integration/forgetful_disk/forgetful_mount.h"

// Exits with 77, the last line saying why, where nothing can be tested.
int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (const auto mounted = mallard::integration::ForgetfulMount::mount(); !mounted) {
    std::printf("nothing was tested: %s\n", mounted.error().c_str());
    return 77;
  }
  return RUN_ALL_TESTS();
}
