#include "tests/rsm/replica/journal/sim_disk.h"

#include <algorithm>
#include <cerrno>

namespace mallard::rsm::journal {

namespace {

constexpr std::uint64_t sector_bytes = 512;
constexpr std::uint64_t parts = 1'000'000;

Failure<DiskError> failure(const char* call, DiskFault fault) {
  const int code = fault == DiskFault::absent ? ENOENT : (fault == DiskFault::full ? ENOSPC : EIO);
  return Failure<DiskError>(DiskError{.fault = fault, .call = call, .code = code});
}

}  // namespace

std::optional<DiskError> SimDisk::begin_change(const char* call) {
  if (failed_) {
    ++changes_after_failure_;
  }
  const std::uint64_t number = changes_++;
  if (crashed_ || number == crash_at_) {
    crashed_ = true;
    failed_ = true;
    return DiskError{.fault = DiskFault::broken, .call = call, .code = EIO};
  }
  if (number == fail_at_) {
    failed_ = true;
    return DiskError{.fault = fault_, .call = call, .code = fault_ == DiskFault::full ? ENOSPC : EIO};
  }
  return std::nullopt;
}

DiskResult<std::vector<FileName>> SimDisk::list() {
  if (crashed_) {
    return failure("readdir", DiskFault::broken);
  }
  std::vector<FileName> names;
  for (const auto& [name, file] : names_) {
    names.emplace_back(name);
  }
  return names;
}

DiskResult<FileHandle> SimDisk::open(const FileName& name) {
  const auto found = names_.find(std::string(name.text()));
  if (crashed_ || found == names_.end()) {
    return failure("open", crashed_ ? DiskFault::broken : DiskFault::absent);
  }
  open_.push_back(found->second);
  return FileHandle(static_cast<std::uint32_t>(open_.size() - 1));
}

DiskResult<FileHandle> SimDisk::create(const FileName& name) {
  const auto error = begin_change("create");
  const std::string text(name.text());
  if (crashed_ && !error) {
    return failure("create", DiskFault::broken);
  }
  if (names_.contains(text)) {
    return failure("create", DiskFault::broken);
  }
  if (!error || crashed_) {
    names_[text] = std::make_shared<File>();
    note_names();
  }
  if (error) {
    return Failure<DiskError>(*error);
  }
  return open(name);
}

DiskResult<std::size_t> SimDisk::read(FileHandle handle, std::uint64_t offset, ByteSpan into) {
  const File& file = *open_.at(handle.value);
  if (crashed_) {
    return failure("read", DiskFault::broken);
  }
  const std::uint64_t end = std::min<std::uint64_t>(file.current.size(), offset + into.size());
  for (const std::uint64_t sector : file.unreadable) {
    if (sector * sector_bytes < end && (sector + 1) * sector_bytes > offset) {
      return failure("read", DiskFault::broken);
    }
  }
  if (offset >= end) {
    return std::size_t{0};
  }
  std::copy_n(file.current.begin() + static_cast<std::ptrdiff_t>(offset), end - offset, into.begin());
  return static_cast<std::size_t>(end - offset);
}

DiskResult<void> SimDisk::write(FileHandle handle, std::uint64_t offset, ByteView bytes) {
  File& file = *open_.at(handle.value);
  const auto error = begin_change("write");
  if (!error || (crashed_ && changes_ == crash_at_ + 1)) {
    apply(file.current, offset, bytes);
    file.pending.push_back({offset, {bytes.begin(), bytes.end()}});
    for (std::uint64_t at = offset / sector_bytes; at * sector_bytes < offset + bytes.size(); ++at) {
      file.unreadable.erase(at);
    }
  }
  if (error) {
    return Failure<DiskError>(*error);
  }
  return {};
}

DiskResult<void> SimDisk::sync(FileHandle handle) {
  File& file = *open_.at(handle.value);
  if (const auto error = begin_change("fdatasync")) {
    if (!crashed_) {
      // The pages are clean afterwards, whether or not they reached the medium.
      lose_pending(file, parts / 2);
    }
    return Failure<DiskError>(*error);
  }
  for (const Extent& extent : file.pending) {
    apply(file.durable, extent.offset, extent.bytes);
  }
  file.pending.clear();
  return {};
}

DiskResult<void> SimDisk::sync_and_forget(FileHandle handle) {
  if (auto synced = sync(handle); !synced) {
    return synced;
  }
  File& file = *open_.at(handle.value);
  file.current = file.durable;
  return {};
}

DiskResult<void> SimDisk::rename(const FileName& from, const FileName& to) {
  const auto error = begin_change("rename");
  const auto found = names_.find(std::string(from.text()));
  if (found == names_.end()) {
    return failure("rename", DiskFault::absent);
  }
  if (!error || (crashed_ && changes_ == crash_at_ + 1)) {
    const FilePtr file = found->second;
    names_.erase(found);
    names_[std::string(to.text())] = file;
    note_names();
  }
  if (error) {
    return Failure<DiskError>(*error);
  }
  return {};
}

DiskResult<void> SimDisk::remove(const FileName& name) {
  const auto error = begin_change("unlink");
  const auto found = names_.find(std::string(name.text()));
  if (found == names_.end()) {
    return failure("unlink", DiskFault::absent);
  }
  if (!error || (crashed_ && changes_ == crash_at_ + 1)) {
    names_.erase(found);
    note_names();
  }
  if (error) {
    return Failure<DiskError>(*error);
  }
  return {};
}

DiskResult<void> SimDisk::sync_directory() {
  if (const auto error = begin_change("fsync")) {
    return Failure<DiskError>(*error);
  }
  durable_names_ = names_;
  past_names_.clear();
  return {};
}

void SimDisk::fail_after(std::uint64_t changes, DiskFault fault) {
  fail_at_ = changes_ + changes;
  fault_ = fault;
}

void SimDisk::never_fail() {
  crash_at_ = UINT64_MAX;
  fail_at_ = UINT64_MAX;
}

void SimDisk::apply(std::vector<std::byte>& to, std::uint64_t offset, ByteView bytes) {
  if (to.size() < offset + bytes.size()) {
    to.resize(offset + bytes.size(), std::byte{0});
  }
  std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(offset));
}

void SimDisk::apply_some(File& file, const Extent& extent, std::uint64_t keep_parts) {
  const std::uint64_t grain = prng_.below(2) == 0 ? sector_bytes : 8 * sector_bytes;
  const ByteView bytes(extent.bytes);
  for (std::uint64_t done = 0; done < bytes.size();) {
    const std::uint64_t at = extent.offset + done;
    const std::uint64_t count = std::min<std::uint64_t>(bytes.size() - done, grain - at % grain);
    if (prng_.one_in_million(keep_parts)) {
      apply(file.durable, at, bytes.subspan(done, count));
    } else if (file.durable.size() < at + count) {
      file.durable.resize(at + count, std::byte{0});
    }
    done += count;
  }
}

void SimDisk::lose_pending(File& file, std::uint64_t keep_parts) {
  for (const Extent& extent : file.pending) {
    apply_some(file, extent, keep_parts);
  }
  file.pending.clear();
}

void SimDisk::restart(Loss loss) {
  never_fail();
  crashed_ = false;
  failed_ = false;
  changes_after_failure_ = 0;
  open_.clear();
  if (loss == Loss::none) {
    return;
  }
  const std::uint64_t keep_parts = loss == Loss::everything ? 0 : prng_.below(5) * (parts / 4);
  std::set<File*> files;
  for (const Directory* directory : {&names_, &durable_names_}) {
    for (const auto& [name, file] : *directory) {
      files.insert(file.get());
    }
  }
  // In the order of names, not of addresses.
  for (const Directory* directory : {&names_, &durable_names_}) {
    for (const auto& [name, file] : *directory) {
      if (files.erase(file.get()) != 0) {
        lose_pending(*file, keep_parts);
        file->current = file->durable;
      }
    }
  }
  if (loss == Loss::some && !past_names_.empty()) {
    if (const std::uint64_t kept = prng_.below(past_names_.size() + 1); kept != 0) {
      durable_names_ = past_names_[kept - 1];
    }
  }
  for (const auto& [name, file] : durable_names_) {
    lose_pending(*file, keep_parts);
    file->current = file->durable;
  }
  names_ = durable_names_;
  past_names_.clear();
}

DiskImage SimDisk::image() const {
  DiskImage image;
  for (const auto& [name, file] : names_) {
    image[name] = file->current;
  }
  return image;
}

void SimDisk::restore(const DiskImage& image) {
  restart(Loss::none);
  names_.clear();
  for (const auto& [name, bytes] : image) {
    auto file = std::make_shared<File>();
    file->durable = bytes;
    file->current = bytes;
    names_[name] = std::move(file);
  }
  durable_names_ = names_;
  past_names_.clear();
}

void SimDisk::make_unreadable(const std::string& name, std::uint64_t offset) {
  names_.at(name)->unreadable.insert(offset / sector_bytes);
}

bool SimDisk::names_are_durable() const { return names_ == durable_names_; }

}  // namespace mallard::rsm::journal
