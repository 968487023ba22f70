#include "cli/bench/shared_array.h"

#include <gtest/gtest.h>

#include <atomic>

#include "cli/demo/child_process.h"
#include "tests/cli/temporary_folder.h"

namespace mallard::cli {
namespace {

TEST(SharedArray, ShowsWhatACopyOfTheProcessWrote) {
  const TemporaryFolder folder;
  SharedArray<std::atomic<int>> array(3);
  array[0] = 1;
  ChildProcess child(
      [&] {
        array[2] = array[0] + 41;
        return 0;
      },
      folder.path("log"));
  ASSERT_TRUE(child.wait(Duration::seconds(10)));
  EXPECT_EQ(array[2], 42);
  EXPECT_EQ(array[1], 0);
  EXPECT_EQ(array.size(), 3U);
}

}  // namespace
}  // namespace mallard::cli
