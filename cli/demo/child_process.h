// A process of our own program that ends when we do.
#pragma once

#include <sys/types.h>

#include <filesystem>
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
  // Starts `program` with `arguments` (without the program's name); its stdout and stderr are appended to
  // `log`. Throws std::system_error when it cannot.
  ChildProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
               const std::filesystem::path& log);
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
  pid_t pid_ = -1;
  std::optional<int> status_;
};

}  // namespace mallard::cli
