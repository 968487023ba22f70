// One process works in a directory at a time (reliability.md O-1).
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "config/base/result.h"
#include "config/system/file_descriptor.h"

namespace mallard {

// Why a directory could not be locked.
struct DirectoryLockProblem {
  bool occupied = false;  // by another process; otherwise a system call failed
  std::string what;       // begins with the path
  std::string advice;     // a phrase without a final stop
};

// Held as long as the value lives; the kernel gives it up when the process dies, however it dies.
class DirectoryLock {
 public:
  // Locks DIR/lock and writes this process's id into it. Someone else's lock is a problem that says
  // `occupied` and names the process that holds it.
  [[nodiscard]] static Result<DirectoryLock, DirectoryLockProblem> take(
      const std::filesystem::path& directory);

 private:
  explicit DirectoryLock(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

}  // namespace mallard
