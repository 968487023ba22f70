// A directory of the machine's file system as the disk of a journal.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "config/system/directory_lock.h"
#include "config/system/file_descriptor.h"
#include "rsm/replica/journal/disk.h"
#include "rsm/replica/journal/journal_problem.h"

namespace mallard::rsm::journal {

// Holds the lock of the directory as long as it lives. New files get mode 0600; sync is fdatasync.
class RealDisk final : public Disk {
 public:
  // The directory must exist. Fails with `occupied` while another process, or another RealDisk, holds it.
  [[nodiscard]] static JournalResult<std::unique_ptr<RealDisk>> open_directory(
      const std::filesystem::path& directory);

  [[nodiscard]] DiskResult<std::vector<FileName>> list() override;
  [[nodiscard]] DiskResult<FileHandle> open(const FileName& name) override;
  [[nodiscard]] DiskResult<FileHandle> create(const FileName& name) override;
  void close(FileHandle file) override;
  [[nodiscard]] DiskResult<std::size_t> read(FileHandle file, std::uint64_t offset, ByteSpan into) override;
  [[nodiscard]] DiskResult<void> write(FileHandle file, std::uint64_t offset, ByteView bytes) override;
  [[nodiscard]] DiskResult<void> sync(FileHandle file) override;
  [[nodiscard]] DiskResult<void> sync_and_forget(FileHandle file) override;
  [[nodiscard]] DiskResult<void> rename(const FileName& from, const FileName& to) override;
  [[nodiscard]] DiskResult<void> remove(const FileName& name) override;
  [[nodiscard]] DiskResult<void> sync_directory() override;

 private:
  RealDisk(std::filesystem::path path, DirectoryLock lock, FileDescriptor directory)
      : path_(std::move(path)), lock_(std::move(lock)), directory_(std::move(directory)) {}
  [[nodiscard]] DiskResult<FileHandle> open_file(const FileName& name, int flags);

  std::filesystem::path path_;
  DirectoryLock lock_;
  FileDescriptor directory_;
};

}  // namespace mallard::rsm::journal
