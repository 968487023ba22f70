#include "tests/cli/program.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

namespace mallard::cli {
namespace {

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

// A file without a name that the program writes into: unlike a pipe it needs nobody to read while it runs.
class Capture {
 public:
  Capture() : file_(::memfd_create("capture", MFD_CLOEXEC)) {
    if (file_ < 0) fail(errno, "memfd_create");
  }
  ~Capture() { ::close(file_); }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  [[nodiscard]] int file() const { return file_; }

  [[nodiscard]] std::string text() const {
    std::string all;
    std::array<char, 4096> chunk{};
    off_t at = 0;
    for (ssize_t got = 0; (got = ::pread(file_, chunk.data(), chunk.size(), at)) > 0; at += got) {
      all.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  int file_;
};

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("MALLARD_CONFIG=")) variables.emplace_back(*entry);
  }
  for (const auto& [name, value] : added) {
    variables.push_back(name + "=" + value);
  }
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ProgramOutcome run_program(const std::vector<std::string>& arguments,
                           const std::map<std::string, std::string>& environment) {
  std::vector<std::string> words{MALLARD_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment_with(environment);
  const Capture out;
  const Capture err;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out.file(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.file(), STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, MALLARD_PROGRAM, &actions, nullptr, pointers_to(words).data(),
                                  pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(error, "posix_spawn");
  int status = 0;
  rusage usage{};
  while (::wait4(child, &status, 0, &usage) < 0) {
    if (errno != EINTR) fail(errno, "wait4");
  }
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, out.text(), err.text(), usage.ru_maxrss};
}

}  // namespace mallard::cli
