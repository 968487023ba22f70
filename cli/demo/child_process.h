// A process that ends when this one does.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.h"

namespace mallard::cli {

// The path of the running program.
[[nodiscard]] std::filesystem::path own_program();

// Movable owner of a child. Whatever happens to the owner, the child does not outlive it: the destructor
// kills it, and the kernel does should this process die. Only for processes with one thread.
class ChildProcess {
 public:
  ChildProcess() = default;
  // Both throw std::system_error when there can be no child. It reads nothing; its stdout and stderr are
  // appended to `log`.
  //
  // Starts `program` with `arguments` (without the program's name); 127 is its exit status where that fails.
  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
               const std::filesystem::path& log);
  // A copy of this process that does `work` and ends with its result as exit status.
  ChildProcess(const std::function<int()>& work, const std::filesystem::path& log);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  // False once it has ended; then exit_status() says how.
  [[nodiscard]] bool running();
  // What wait() reported; nothing while it runs.
  [[nodiscard]] std::optional<int> exit_status() const { return status_; }
  void signal(int number) const;
  // Waits for its end; false when it still runs after `patience`.
  bool wait(Duration patience);
  // Kills it at once and takes its status.
  void kill();

 private:
  void begin(const std::function<int()>& work, const std::filesystem::path& log);

  pid_t pid_ = -1;
  std::optional<int> status_;
};

// CPU time that the children of this process, and theirs that they waited for, have used so far. Children
// that have ended do not count.
[[nodiscard]] Duration cpu_time_of_children();

}  // namespace mallard::cli
