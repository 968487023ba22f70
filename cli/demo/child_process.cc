#include "cli/demo/child_process.h"

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
#include <system_error>
#include <thread>
#include <utility>

namespace mallard::cli {
namespace {

// In the child: only calls that are safe after a fork.
void settle(const char* log, pid_t parent) {
  ::setpgid(0, 0);  // Ctrl-C is for the parent, which ends its children in order
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (::getppid() != parent || out < 0 || in < 0) {
    ::_exit(127);
  }
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
}

}  // namespace

std::filesystem::path own_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

ChildProcess::ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                           const std::filesystem::path& log) {
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  begin(
      [&] {
        ::execv(pointers[0], pointers.data());
        return 127;
      },
      log);
}

ChildProcess::ChildProcess(const std::function<int()>& work, const std::filesystem::path& log) {
  begin(work, log);
}

void ChildProcess::begin(const std::function<int()>& work, const std::filesystem::path& log) {
  const pid_t parent = ::getpid();
  std::fflush(nullptr);  // else the child would print it again
  pid_ = ::fork();
  if (pid_ < 0) {
    throw std::system_error(errno, std::generic_category(), "fork");
  }
  if (pid_ == 0) {
    settle(log.c_str(), parent);
    const int status = work();
    std::fflush(nullptr);
    ::_exit(status);  // what the child has of our objects is not ended twice
  }
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(std::exchange(other.status_, std::nullopt)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    status_ = std::exchange(other.status_, std::nullopt);
  }
  return *this;
}

ChildProcess::~ChildProcess() { kill(); }

bool ChildProcess::running() {
  if (pid_ < 0 || status_) {
    return false;
  }
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = status;
  }
  return !status_;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0 && !status_) {
    ::kill(pid_, number);
  }
}

bool ChildProcess::wait(Duration patience) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns);
  while (running()) {
    if (std::chrono::steady_clock::now() >= end) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void ChildProcess::kill() {
  if (running()) {
    signal(SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    status_ = status;
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
