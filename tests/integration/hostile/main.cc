// As gtest's main, with as many open files as the machine allows: a flood needs them.
#include <gtest/gtest.h>
#include <sys/resource.h>

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  return RUN_ALL_TESTS();
}
