#include "config/system/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace mallard {

namespace {

Failure<DirectoryLockProblem> failed(const std::filesystem::path& path, const char* call, int code) {
  const char* advice = "let the user of this process write there";
  if (code == ENOENT) {
    advice = "make the directory first";
  } else if (code == ENOSPC || code == EDQUOT) {
    advice = "free some space and start again";
  }
  return Failure<DirectoryLockProblem>(DirectoryLockProblem{
      .what = fmt::format("{}: {} failed: {}", path.string(), call, std::generic_category().message(code)),
      .advice = advice});
}

// The first line of the file: digits only, for it may hold anything.
std::string holder_of(const FileDescriptor& file) {
  std::array<char, 24> text{};
  const ssize_t got = ::pread(file.number(), text.data(), text.size(), 0);
  std::string holder;
  for (ssize_t i = 0;
       i < got && text[static_cast<std::size_t>(i)] >= '0' && text[static_cast<std::size_t>(i)] <= '9'; ++i) {
    holder += text[static_cast<std::size_t>(i)];
  }
  return holder.empty() ? "another process" : "process " + holder;
}

}  // namespace

Result<DirectoryLock, DirectoryLockProblem> DirectoryLock::take(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "lock";
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    return failed(path, "open", errno);
  }
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return failed(path, "flock", errno);
    }
    return Failure<DirectoryLockProblem>(DirectoryLockProblem{
        .occupied = true,
        .what = fmt::format("{}: {} works in this directory", directory.string(), holder_of(file)),
        .advice = "stop it, or give this one a directory of its own"});
  }
  const std::string line = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file.number(), 0) != 0 ||
      ::pwrite(file.number(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
    return failed(path, "write", errno);
  }
  return DirectoryLock(std::move(file));
}

}  // namespace mallard
