#include "cli/demo/child_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>

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

TEST(ChildProcess, runs_a_program_and_tells_how_it_ended) {
  const TemporaryFolder folder;
  ChildProcess child("/bin/sh", {"-c", "echo word; exit 3"}, folder.path("log"));
  ASSERT_TRUE(child.wait(patience));
  EXPECT_EQ(WEXITSTATUS(*child.exit_status()), 3);
  std::ifstream log(folder.path("log"));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(log), {}), "word\n");
}

TEST(ChildProcess, can_be_asked_to_end_and_be_killed) {
  const TemporaryFolder folder;
  ChildProcess child("/bin/sleep", {"600"}, folder.path("log"));
  EXPECT_TRUE(child.running());
  child.signal(SIGTERM);
  ASSERT_TRUE(child.wait(patience));
  EXPECT_EQ(WTERMSIG(*child.exit_status()), SIGTERM);

  ChildProcess other("/bin/sleep", {"600"}, folder.path("log"));
  EXPECT_FALSE(other.wait(Duration::milliseconds(1)));
  other.kill();
  EXPECT_FALSE(other.running());
  EXPECT_EQ(WTERMSIG(*other.exit_status()), SIGKILL);
}

TEST(ChildProcess, goes_with_its_owner) {
  const TemporaryFolder folder;
  pid_t pid = 0;
  {
    const ChildProcess child("/bin/sleep", {"600"}, folder.path("log"));
    pid = child.pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ChildProcess, a_program_that_is_not_there_ends_with_127) {
  const TemporaryFolder folder;
  ChildProcess child("/nowhere/at/all", {}, folder.path("log"));
  ASSERT_TRUE(child.wait(patience));
  EXPECT_EQ(WEXITSTATUS(*child.exit_status()), 127);
}

TEST(ChildProcess, a_copy_does_its_work_and_ends) {
  const TemporaryFolder folder;
  ChildProcess child(
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

TEST(ChildProcess, a_copy_takes_signals_and_goes_with_its_owner) {
  const TemporaryFolder folder;
  {
    ChildProcess stopped(spin_for_ever, folder.path("log"));
    stopped.signal(SIGSTOP);
    EXPECT_TRUE(stopped.running());
  }
  ChildProcess child(spin_for_ever, folder.path("log"));
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
