// Exits with 77, the last line saying why, where nothing can be tested.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>

#include "tests/integration/deployment/memory_group.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (const auto group = mallard::integration::MemoryGroup::create("probe"); !group) {
    std::printf("nothing was tested: %s\n", group.error().c_str());
    return 77;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  return RUN_ALL_TESTS();
}
