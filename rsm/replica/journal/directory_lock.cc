#include "rsm/replica/journal/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace mallard::rsm::journal {

namespace {

Failure<JournalError> failed(const std::filesystem::path& path, const char* call, int code) {
  const char* advice =
      code == ENOENT ? "make the directory first" : "let the user of this process write there";
  return Failure<JournalError>(JournalError{
      .fault = JournalFault::machine,
      .what = fmt::format("{}: {} failed: {}", path.string(), call, std::generic_category().message(code)),
      .advice = advice});
}

// The first line of the file: digits only, for it may hold anything.
std::string holder_of(int file) {
  std::array<char, 24> text{};
  const ssize_t got = ::pread(file, text.data(), text.size(), 0);
  std::string holder;
  for (ssize_t i = 0;
       i < got && text[static_cast<std::size_t>(i)] >= '0' && text[static_cast<std::size_t>(i)] <= '9'; ++i) {
    holder += text[static_cast<std::size_t>(i)];
  }
  return holder.empty() ? "another process" : "process " + holder;
}

}  // namespace

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

DirectoryLock::~DirectoryLock() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

JournalResult<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / "lock";
  const int number = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (number < 0) {
    return failed(path, "open", errno);
  }
  DirectoryLock lock(number);
  if (::flock(number, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return failed(path, "flock", errno);
    }
    return Failure<JournalError>(JournalError{
        .fault = JournalFault::occupied,
        .what = fmt::format("{}: {} works in this directory", directory.string(), holder_of(number)),
        .advice = "stop it, or give this one a directory of its own"});
  }
  const std::string line = fmt::format("{}\n", ::getpid());
  if (::ftruncate(number, 0) != 0 ||
      ::pwrite(number, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
    return failed(path, "write", errno);
  }
  return lock;
}

}  // namespace mallard::rsm::journal
