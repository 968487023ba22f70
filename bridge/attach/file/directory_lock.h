// One process works in a directory at a time.
#pragma once

#include <filesystem>

#include "bridge/attach/file/file_calls.h"
#include "bridge/attach/file/storage_problem.h"
#include "config/base/result.h"

namespace mallard::bridge::file {

// Held as long as the value lives; the kernel gives it up when the process dies, however it dies.
class DirectoryLock {
 public:
  // Locks DIR/lock. Someone else's lock is a problem that says `occupied`.
  [[nodiscard]] static Result<DirectoryLock, StorageProblem> take(const std::filesystem::path& directory);

 private:
  explicit DirectoryLock(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;
};

}  // namespace mallard::bridge::file
