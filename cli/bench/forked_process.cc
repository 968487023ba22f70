#include "cli/bench/forked_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace mallard::cli {
namespace {

// In the copy: only calls that are safe right after a fork.
void settle(const char* log, pid_t parent) {
  ::setpgid(0, 0);  // Ctrl-C is for the parent, which ends its children in order
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (::getppid() != parent || out < 0) {
    ::_exit(127);
  }
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
}

}  // namespace

ForkedProcess::ForkedProcess(const std::function<int()>& work, const std::filesystem::path& log) {
  const pid_t parent = ::getpid();
  std::fflush(nullptr);  // else the copy would print it again
  pid_ = ::fork();
  if (pid_ < 0) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (pid_ == 0) {
    settle(log.c_str(), parent);
    const int status = work();
    std::fflush(nullptr);
    ::_exit(status);  // what the copy has of our objects is not ended twice
  }
}

ForkedProcess::ForkedProcess(ForkedProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

bool ForkedProcess::running() {
  if (pid_ >= 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
    pid_ = -1;
  }
  return pid_ >= 0;
}

void ForkedProcess::signal(int number) const {
  if (pid_ >= 0) {
    ::kill(pid_, number);
  }
}

bool ForkedProcess::wait(Duration patience) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns);
  while (running()) {
    if (std::chrono::steady_clock::now() >= end) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void ForkedProcess::kill() {
  if (running()) {
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

Duration cpu_time_of_children() {
  Duration sum;
  std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  for (pid_t child = 0; children >> child;) {
    clockid_t clock = 0;
    timespec used{};
    if (::clock_getcpuclockid(child, &clock) == 0 && ::clock_gettime(clock, &used) == 0) {
      sum = sum + Duration::seconds(used.tv_sec) + Duration::nanoseconds(used.tv_nsec);
    }
  }
  return sum;
}

}  // namespace mallard::cli
