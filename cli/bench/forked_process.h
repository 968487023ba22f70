// A copy of this process that ends when this one does.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>

#include "config/base/time.h"

namespace mallard::cli {

// Movable owner of a copy (fork) that does some work. Whatever happens to the owner, the copy does not
// outlive it: the destructor kills it, and the kernel does should this process die. Only for processes with
// one thread.
class ForkedProcess {
 public:
  // The copy ends with the result of `work` as its status; its stdout and stderr are appended to `log`.
  // Throws std::system_error when there can be none.
  ForkedProcess(const std::function<int()>& work, const std::filesystem::path& log);
  ForkedProcess(ForkedProcess&& other) noexcept;
  ForkedProcess& operator=(ForkedProcess&&) = delete;
  ForkedProcess(const ForkedProcess&) = delete;
  ForkedProcess& operator=(const ForkedProcess&) = delete;
  ~ForkedProcess() { kill(); }

  [[nodiscard]] bool running();
  void signal(int number) const;
  // Waits for its end; false when it still runs after `patience`.
  bool wait(Duration patience);
  // Kills it at once.
  void kill();

 private:
  pid_t pid_ = -1;  // -1: it has ended
};

// CPU time that the children of this process, and theirs that they waited for, have used so far. Children
// that have ended do not count.
[[nodiscard]] Duration cpu_time_of_children();

}  // namespace mallard::cli
