// A process that a test started: it does not outlive its object, and only its own pid is ever signalled.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/base/time.h"

namespace mallard::integration {

struct ChildOptions {
  int space = -1;                // a network namespace to start in; -1: that of the caller
  std::filesystem::path output;  // where stdout and stderr go, appended; empty: they are closed
  std::filesystem::path group;   // a memory control group (its folder) to start in; empty: none
};

class ChildProcess {
 public:
  // Looks `command[0]` up in PATH. Throws std::system_error when no process can be made; a program that
  // cannot be executed exits with 127.
  explicit ChildProcess(const std::vector<std::string>& command, const ChildOptions& options = {});
  // Kills it (SIGKILL) if it still runs.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;
  // Its exit status, or 128 + the number of the signal that ended it.
  int wait();

  // Processor time so far; of an ended process, in all.
  [[nodiscard]] Duration processor_time() const;
  // Memory that would be free again if it ended (proportional set size), and its peak resident size; 0 after
  // its end.
  [[nodiscard]] std::uint64_t pss_bytes() const;
  [[nodiscard]] std::uint64_t peak_resident_bytes() const;

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
  Duration used_;  // set at its end
};

}  // namespace mallard::integration
