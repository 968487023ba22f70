#include "tests/integration/deployment/child_process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace mallard::integration {
namespace {

// In the child, before it becomes the program: only what is allowed between fork and exec.
void prepare_child(const ChildOptions& options, const std::string& group_file) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that dies takes its processes along
  if (options.space >= 0 && ::setns(options.space, CLONE_NEWNET) != 0) ::_exit(126);
  if (!group_file.empty()) {
    const int group = ::open(group_file.c_str(), O_WRONLY | O_CLOEXEC);
    if (group < 0 || ::write(group, "0", 1) != 1) ::_exit(126);
  }
  const char* output = options.output.empty() ? "/dev/null" : options.output.c_str();
  const int log = ::open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (log >= 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    if (log > STDERR_FILENO) ::close(log);
  }
}

// A number of kilobytes in a file of /proc, after `label`.
std::uint64_t kilobytes(const std::string& path, const std::string& label) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    std::uint64_t value = 0;
    if (word == label && file >> value) return value * 1024;
  }
  return 0;
}

Duration sum_of(const rusage& usage) {
  return Duration::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         Duration::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command, const ChildOptions& options) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string group_file = options.group.empty() ? "" : (options.group / "cgroup.procs").string();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) {
    prepare_child(options, group_file);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
}

ChildProcess::~ChildProcess() {
  if (!running()) return;
  signal(SIGKILL);
  wait();
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), ended_(other.ended_), status_(other.status_), used_(other.used_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(ended_, other.ended_);
  std::swap(status_, other.status_);
  std::swap(used_, other.used_);
  return *this;
}

bool ChildProcess::running() {
  if (pid_ < 0 || ended_) return false;
  siginfo_t state{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         state.si_pid == 0;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0 && !ended_) ::kill(pid_, number);
}

int ChildProcess::wait() {
  if (ended_ || pid_ < 0) return status_;
  int status = 0;
  rusage usage{};
  while (::wait4(pid_, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  ended_ = true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  used_ = sum_of(usage);
  return status_;
}

Duration ChildProcess::processor_time() const {
  if (ended_) return used_;
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  rest >> user >> system;
  return Duration::seconds(1) * (user + system) / ::sysconf(_SC_CLK_TCK);
}

std::uint64_t ChildProcess::pss_bytes() const {
  return ended_ ? 0 : kilobytes("/proc/" + std::to_string(pid_) + "/smaps_rollup", "Pss:");
}

std::uint64_t ChildProcess::peak_resident_bytes() const {
  return ended_ ? 0 : kilobytes("/proc/" + std::to_string(pid_) + "/status", "VmHWM:");
}

}  // namespace mallard::integration
