// The port between a journal and the directory that it lives in. The same journal runs on the machine's file
// system (real_disk.h) and on the simulated disk of the tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/result.h"
#include "rsm/replica/journal/file_name.h"

namespace mallard::rsm::journal {

enum class DiskFault : std::uint8_t {
  absent,  // there is no file of that name
  full,    // ENOSPC or EDQUOT
  broken,  // anything else, EIO above all
};

struct DiskError {
  DiskFault fault = DiskFault::broken;
  const char* call = "";  // the system call that failed, a literal
  int code = 0;           // its errno
};

template <class T>
using DiskResult = Result<T, DiskError>;

// An open file. Valid until it is closed; numbers are used again.
using FileHandle = StrongId<struct FileHandleTag, std::uint32_t>;

// Bytes written may reach the medium in any order, in part (by sectors of 512 bytes) or not at all, until
// `sync` returned without an error; a name made, changed or removed likewise until `sync_directory` did.
// After a `write`, `sync` or `sync_directory` failed, nothing is known about what was not durable before,
// also if a later call succeeds ("Can Applications Recover from fsync Failures?", ATC 2020): a journal never
// tries again. No call but `list` and opening allocates. One thread; but files that nobody changes any more
// may be opened, read and closed by another one, if the disk is the machine's.
class Disk {
 public:
  virtual ~Disk() = default;

  // Names of all files, in any order. Names longer than FileName::length_max are left out.
  [[nodiscard]] virtual DiskResult<std::vector<FileName>> list() = 0;
  [[nodiscard]] virtual DiskResult<FileHandle> open(const FileName& name) = 0;
  // An empty file; one of that name must not exist.
  [[nodiscard]] virtual DiskResult<FileHandle> create(const FileName& name) = 0;
  virtual void close(FileHandle file) = 0;
  // Reads from `offset` on; fewer bytes than asked for only at the end of the file.
  [[nodiscard]] virtual DiskResult<std::size_t> read(FileHandle file, std::uint64_t offset,
                                                     ByteSpan into) = 0;
  // Writes all of it; the file grows as needed.
  [[nodiscard]] virtual DiskResult<void> write(FileHandle file, std::uint64_t offset, ByteView bytes) = 0;
  [[nodiscard]] virtual DiskResult<void> sync(FileHandle file) = 0;
  // Syncs, and makes the reads that follow come from the medium, as far as the machine can: what an earlier
  // process failed to sync may still be cached, and would pass for durable.
  [[nodiscard]] virtual DiskResult<void> sync_and_forget(FileHandle file) = 0;
  // Open handles follow the file. A file called `to` is replaced.
  [[nodiscard]] virtual DiskResult<void> rename(const FileName& from, const FileName& to) = 0;
  [[nodiscard]] virtual DiskResult<void> remove(const FileName& name) = 0;
  [[nodiscard]] virtual DiskResult<void> sync_directory() = 0;
};

}  // namespace mallard::rsm::journal
