// A disk that does to a journal whatever a disk may do: it forgets, tears and reorders what was not synced,
// fails once and then pretends that all is well, and changes what was durable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "rsm/replica/journal/disk.h"

namespace mallard::rsm::journal {

// What is durable of each file.
using DiskImage = std::map<std::string, std::vector<std::byte>>;

class SimDisk final : public Disk {
 public:
  explicit SimDisk(std::uint64_t seed) : prng_(seed) {}

  // --- The port
  [[nodiscard]] DiskResult<std::vector<FileName>> list() override;
  [[nodiscard]] DiskResult<FileHandle> open(const FileName& name) override;
  [[nodiscard]] DiskResult<FileHandle> create(const FileName& name) override;
  void close(FileHandle) override {}
  [[nodiscard]] DiskResult<std::size_t> read(FileHandle file, std::uint64_t offset, ByteSpan into) override;
  [[nodiscard]] DiskResult<void> write(FileHandle file, std::uint64_t offset, ByteView bytes) override;
  [[nodiscard]] DiskResult<void> sync(FileHandle file) override;
  [[nodiscard]] DiskResult<void> sync_and_forget(FileHandle file) override;
  [[nodiscard]] DiskResult<void> rename(const FileName& from, const FileName& to) override;
  [[nodiscard]] DiskResult<void> remove(const FileName& name) override;
  [[nodiscard]] DiskResult<void> sync_directory() override;

  // --- Faults to come. A change is a create, write, sync, rename, remove or sync_directory.
  // The power goes during the change after the next `changes`: it may reach the medium in part, and every
  // call fails from then on.
  void crash_after(std::uint64_t changes) { crash_at_ = changes_ + changes; }
  // The change after the next `changes` fails, once. Later ones succeed, whatever was lost.
  void fail_after(std::uint64_t changes, DiskFault fault);
  void never_fail();
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  // Changes that were tried after one failed.
  [[nodiscard]] std::uint64_t changes_after_failure() const { return changes_after_failure_; }
  [[nodiscard]] bool has_failed() const { return failed_; }

  // --- The next start
  enum class Loss : std::uint8_t {
    none,        // the process died, the machine did not: nothing is lost, nothing becomes durable either
    everything,  // all that was not synced
    some,        // any part of it, by sectors of 512 or 4096 bytes, and any suffix of changed names
  };
  void restart(Loss loss);

  // --- What can be seen and done while nobody runs. Everything is durable first.
  [[nodiscard]] DiskImage image() const;
  // The directory as it was: handles are void.
  void restore(const DiskImage& image);
  // A sector of `name` that cannot be read until it is written again.
  void make_unreadable(const std::string& name, std::uint64_t offset);

  // True if the name of each file leads to the same file after a power cut.
  [[nodiscard]] bool names_are_durable() const;

 private:
  struct Extent {
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };
  struct File {
    std::vector<std::byte> durable;
    std::vector<std::byte> current;
    std::vector<Extent> pending;         // written, not synced
    std::set<std::uint64_t> unreadable;  // numbers of sectors
  };
  using FilePtr = std::shared_ptr<File>;
  using Directory = std::map<std::string, FilePtr>;

  // The error of this change, if it fails; `torn` if it may reach the medium all the same.
  [[nodiscard]] std::optional<DiskError> begin_change(const char* call);
  static void apply(std::vector<std::byte>& to, std::uint64_t offset, ByteView bytes);
  // Applies any sectors of it, or none.
  void apply_some(File& file, const Extent& extent, std::uint64_t keep_parts);
  void lose_pending(File& file, std::uint64_t keep_parts);
  void note_names() { past_names_.push_back(names_); }

  Prng prng_;
  Directory names_;
  Directory durable_names_;
  std::vector<Directory> past_names_;  // after each change of a name since sync_directory
  std::vector<FilePtr> open_;
  std::uint64_t changes_ = 0;
  std::uint64_t crash_at_ = UINT64_MAX;
  std::uint64_t fail_at_ = UINT64_MAX;
  DiskFault fault_ = DiskFault::broken;
  bool crashed_ = false;
  bool failed_ = false;
  std::uint64_t changes_after_failure_ = 0;
};

}  // namespace mallard::rsm::journal
