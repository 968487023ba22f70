#include "cli/bench/forked_process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/cli/temporary_folder.h"

namespace mallard::cli {
namespace {

constexpr Duration patience = Duration::seconds(10);

int spin_for_ever() {
  volatile bool goes_on = true;
  while (goes_on) {
  }
  return 0;
}

TEST(ForkedProcess, DoesItsWorkAndEnds) {
  const TemporaryFolder folder;
  ForkedProcess child(
      [] {
        std::printf("in the copy\n");
        return 0;
      },
      folder.path("log"));
  ASSERT_TRUE(child.wait(patience));
  EXPECT_FALSE(child.running());
  std::ifstream log(folder.path("log"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(log), {}), "in the copy\n");
}

TEST(ForkedProcess, TakesSignalsAndGoesWithItsOwner) {
  const TemporaryFolder folder;
  {
    ForkedProcess stopped(spin_for_ever, folder.path("log"));
    stopped.signal(SIGSTOP);
    EXPECT_TRUE(stopped.running());
  }
  ForkedProcess child(spin_for_ever, folder.path("log"));
  EXPECT_FALSE(child.wait(Duration::milliseconds(1)));
  while (child.running() && cpu_time_of_children() < Duration::milliseconds(1)) {
  }
  EXPECT_GE(cpu_time_of_children(), Duration::milliseconds(1));
  child.kill();
  EXPECT_FALSE(child.running());
  EXPECT_EQ(cpu_time_of_children(), Duration()) << "nobody else is left";
}

}  // namespace
}  // namespace mallard::cli
