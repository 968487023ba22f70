#include "bridge/attach/file/file_calls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace mallard::bridge::file {

Result<FileDescriptor, StorageProblem> open_file(const std::filesystem::path& path, int flags) {
  const int number = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (number < 0) {
    return Failure<StorageProblem>(machine_problem(path, "open", errno));
  }
  return FileDescriptor(number);
}

Result<std::size_t, StorageProblem> read_at(const FileDescriptor& file, const std::filesystem::path& path,
                                            std::uint64_t offset, ByteSpan into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        ::pread(file.number(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Failure<StorageProblem>(machine_problem(path, "read", errno));
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<std::uint64_t, StorageProblem> size_of(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) {
    return Failure<StorageProblem>(machine_problem(path, "fstat", errno));
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void, StorageProblem> sync_directory(const std::filesystem::path& directory) {
  const auto opened = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (!opened) {
    return Failure<StorageProblem>(opened.error());
  }
  if (::fsync(opened->number()) != 0) {
    return Failure<StorageProblem>(machine_problem(directory, "fsync", errno));
  }
  return {};
}

StorageProblem machine_problem(const std::filesystem::path& path, const char* call, int error) {
  const char* advice = "mend the file system and start again";
  if (error == ENOSPC || error == EDQUOT) {
    advice = "free some space and start again";
  } else if (error == ENOENT) {
    advice = "make the directory and its keys with `mallard keys generate DIR`";
  } else if (error == EACCES || error == EPERM || error == EROFS) {
    advice = "let the user of this process write there";
  }
  return {
      .fault = StorageFault::machine,
      .what = fmt::format("{}: {} failed: {}", path.string(), call, std::generic_category().message(error)),
      .advice = advice};
}

WriteCalls WriteCalls::system() {
  return {.pwrite = [](int file, const void* bytes, std::size_t count,
                       off_t at) { return ::pwrite(file, bytes, count, at); },
          .fdatasync = [](int file) { return ::fdatasync(file); }};
}

}  // namespace mallard::bridge::file
