// One process works in a journal's directory at a time (reliability.md O-1).
#pragma once

#include <filesystem>

#include "rsm/replica/journal/journal_problem.h"

namespace mallard::rsm::journal {

// Held as long as the value lives; the kernel gives it up when the process dies, however it dies.
class DirectoryLock {
 public:
  // Locks DIR/lock and writes this process's id into it. Someone else's lock is an error that says `occupied`
  // and names the process that holds it.
  [[nodiscard]] static JournalResult<DirectoryLock> take(const std::filesystem::path& directory);

  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int file) : file_(file) {}

  int file_;
};

}  // namespace mallard::rsm::journal
