#include "rsm/replica/journal/real_disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace mallard::rsm::journal {

namespace {

Failure<DiskError> failed(const char* call, int code) {
  DiskFault fault = DiskFault::broken;
  if (code == ENOENT) {
    fault = DiskFault::absent;
  } else if (code == ENOSPC || code == EDQUOT) {
    fault = DiskFault::full;
  }
  return Failure<DiskError>(DiskError{.fault = fault, .call = call, .code = code});
}

// A handle is the number that the kernel gave.
int number_of(FileHandle file) { return static_cast<int>(file.value); }

}  // namespace

JournalResult<std::unique_ptr<RealDisk>> RealDisk::open_directory(const std::filesystem::path& directory) {
  auto lock = DirectoryLock::take(directory);
  if (!lock) {
    return Failure<JournalError>(
        JournalError{.fault = lock.error().occupied ? JournalFault::occupied : JournalFault::machine,
                     .what = lock.error().what,
                     .advice = lock.error().advice});
  }
  FileDescriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) {
    return Failure<JournalError>(JournalError{.fault = JournalFault::machine,
                                              .what = fmt::format("{}: open failed: {}", directory.string(),
                                                                  std::generic_category().message(errno)),
                                              .advice = "let the user of this process read there"});
  }
  return std::unique_ptr<RealDisk>(new RealDisk(directory, std::move(*lock), std::move(opened)));
}

DiskResult<std::vector<FileName>> RealDisk::list() {
  std::vector<FileName> names;
  std::error_code error;
  for (std::filesystem::directory_iterator next(path_, error), end; !error && next != end;
       next.increment(error)) {
    const std::string name = next->path().filename().string();
    if (name.size() <= FileName::length_max) {
      names.emplace_back(name);
    }
  }
  if (error) {
    return failed("readdir", error.value());
  }
  return names;
}

DiskResult<FileHandle> RealDisk::open(const FileName& name) { return open_file(name, O_RDWR); }

DiskResult<FileHandle> RealDisk::create(const FileName& name) {
  return open_file(name, O_RDWR | O_CREAT | O_EXCL);
}

DiskResult<FileHandle> RealDisk::open_file(const FileName& name, int flags) {
  const int number = ::openat(directory_.number(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (number < 0) {
    return failed("open", errno);
  }
  return FileHandle(static_cast<std::uint32_t>(number));
}

void RealDisk::close(FileHandle file) { ::close(number_of(file)); }

DiskResult<std::size_t> RealDisk::read(FileHandle file, std::uint64_t offset, ByteSpan into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        ::pread(number_of(file), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return failed("read", errno);
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  return done;
}

DiskResult<void> RealDisk::write(FileHandle file, std::uint64_t offset, ByteView bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put = ::pwrite(number_of(file), bytes.data() + done, bytes.size() - done,
                                 static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      return failed("write", put == 0 ? EIO : errno);
    }
    done += static_cast<std::size_t>(put);
  }
  return {};
}

DiskResult<void> RealDisk::sync(FileHandle file) {
  if (::fdatasync(number_of(file)) != 0) {
    return failed("fdatasync", errno);
  }
  return {};
}

DiskResult<void> RealDisk::sync_and_forget(FileHandle file) {
  if (auto synced = sync(file); !synced) {
    return synced;
  }
  // Only advice; file systems without a cache of their own refuse it.
  (void)::posix_fadvise(number_of(file), 0, 0, POSIX_FADV_DONTNEED);
  return {};
}

DiskResult<void> RealDisk::rename(const FileName& from, const FileName& to) {
  if (::renameat(directory_.number(), from.c_str(), directory_.number(), to.c_str()) != 0) {
    return failed("rename", errno);
  }
  return {};
}

DiskResult<void> RealDisk::remove(const FileName& name) {
  if (::unlinkat(directory_.number(), name.c_str(), 0) != 0) {
    return failed("unlink", errno);
  }
  return {};
}

DiskResult<void> RealDisk::sync_directory() {
  if (::fsync(directory_.number()) != 0) {
    return failed("fsync", errno);
  }
  return {};
}

}  // namespace mallard::rsm::journal
