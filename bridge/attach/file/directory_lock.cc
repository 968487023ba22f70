#include "bridge/attach/file/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <utility>

namespace mallard::bridge::file {

Result<DirectoryLock, StorageProblem> DirectoryLock::take(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "lock";
  auto file = open_file(path, O_RDWR | O_CREAT);
  if (!file) {
    return Failure<StorageProblem>(file.error());
  }
  if (::flock(file->number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return Failure<StorageProblem>(machine_problem(path, "flock", errno));
    }
    return Failure<StorageProblem>(
        StorageProblem{.fault = StorageFault::occupied,
                       .what = fmt::format("{}: another process works in this directory", directory.string()),
                       .advice = "stop it, or give this one a directory of its own"});
  }
  return DirectoryLock(std::move(*file));
}

}  // namespace mallard::bridge::file
