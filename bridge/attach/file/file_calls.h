// The few system calls that attachments make on files.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>

#include "bridge/attach/file/storage_problem.h"
#include "config/base/bytes.h"
#include "config/base/result.h"
#include "config/system/file_descriptor.h"

namespace mallard::bridge::file {

// Opens with O_CLOEXEC; a new file gets mode 0600.
[[nodiscard]] Result<FileDescriptor, StorageProblem> open_file(const std::filesystem::path& path, int flags);

// Reads at most `into.size()` bytes at `offset`; fewer only at the end of the file.
[[nodiscard]] Result<std::size_t, StorageProblem> read_at(const FileDescriptor& file,
                                                          const std::filesystem::path& path,
                                                          std::uint64_t offset, ByteSpan into);

[[nodiscard]] Result<std::uint64_t, StorageProblem> size_of(const FileDescriptor& file,
                                                            const std::filesystem::path& path);

// Makes the directory's entries durable: needed after a file in it was made.
[[nodiscard]] Result<void, StorageProblem> sync_directory(const std::filesystem::path& directory);

// A problem of the machine, with errno in words.
[[nodiscard]] StorageProblem machine_problem(const std::filesystem::path& path, const char* call, int error);

// The calls that can lose data, so that tests can make them fail. Signatures as in the C library.
struct WriteCalls {
  std::function<ssize_t(int, const void*, std::size_t, off_t)> pwrite;
  std::function<int(int)> fdatasync;
  // The real ones.
  static WriteCalls system();
};

}  // namespace mallard::bridge::file
