#include "bridge/attach/file/record_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "config/base/invariant.h"

namespace mallard::bridge::file {
namespace {

// One write is at least this much where there is as much: enough to use a disk well, little enough to hold in
// memory.
constexpr std::size_t write_bytes = 1U << 20;

}  // namespace

RecordWriter::RecordWriter(std::filesystem::path path, LogKind kind, std::string_view name,
                           const WriteCalls& calls)
    : path_(std::move(path)), kind_(kind), seed_(seed_of(kind, name)), calls_(&calls) {
  buffer_.reserve(write_bytes + record_payload_bytes_max + record_overhead_bytes);
  position_.previous = seed_;
}

Result<RecordWriter, StorageProblem> RecordWriter::open(const std::filesystem::path& path, LogKind kind,
                                                        std::string_view name, const RecordPosition& end,
                                                        const WriteCalls& calls) {
  RecordWriter writer(path, kind, name, calls);
  auto file = open_file(path, O_RDWR | O_CREAT);
  if (!file) {
    return Failure<StorageProblem>(file.error());
  }
  writer.file_ = std::move(*file);
  const auto done = end.number == 0 ? writer.create() : writer.go_on(end);
  if (!done) {
    return Failure<StorageProblem>(done.error());
  }
  return writer;
}

Result<void, StorageProblem> RecordWriter::create() {
  const auto size = size_of(file_, path_);
  if (!size) {
    return Failure<StorageProblem>(size.error());
  }
  cut_bytes_ = *size > file_head_bytes ? *size - file_head_bytes : 0;
  if (::ftruncate(file_.number(), 0) != 0) {
    return Failure<StorageProblem>(machine_problem(path_, "ftruncate", errno));
  }
  buffer_.resize(file_head_bytes);
  write_file_head(kind_, seed_, buffer_);
  if (auto synced = sync(); !synced) {
    return synced;
  }
  return sync_directory(path_.parent_path());
}

Result<void, StorageProblem> RecordWriter::go_on(const RecordPosition& end) {
  const auto size = size_of(file_, path_);
  if (!size) {
    return Failure<StorageProblem>(size.error());
  }
  MALLARD_INVARIANT(*size >= end.offset);
  cut_bytes_ = *size - end.offset;
  if (cut_bytes_ > 0 && ::ftruncate(file_.number(), static_cast<off_t>(end.offset)) != 0) {
    return Failure<StorageProblem>(machine_problem(path_, "ftruncate", errno));
  }
  position_ = end;
  written_ = end.offset;
  // What the previous process wrote last may be in memory only; from here on it counts as kept.
  return sync();
}

Result<void, StorageProblem> RecordWriter::append(std::uint16_t messages, std::uint16_t proof_bytes,
                                                  ByteView payload) {
  MALLARD_INVARIANT(!payload.empty() && payload.size() <= record_payload_bytes_max);
  const RecordHead head{.payload_bytes = static_cast<std::uint32_t>(payload.size()),
                        .messages = messages,
                        .proof_bytes = proof_bytes,
                        .number = position_.number + 1,
                        .first = position_.next_message,
                        .synced = synced_,
                        .previous = position_.previous};
  const std::size_t start = buffer_.size();
  buffer_.resize(start + record_head_bytes);
  write_record_head(head, seed_, position_.offset, ByteSpan(buffer_).subspan(start));
  buffer_.insert(buffer_.end(), payload.begin(), payload.end());
  const RecordHash hash = record_hash(ByteView(buffer_).subspan(start));
  buffer_.insert(buffer_.end(), hash.begin(), hash.end());
  position_ = {.offset = position_.offset + record_overhead_bytes + payload.size(),
               .number = head.number,
               .next_message = head.first + messages,
               .previous = hash};
  if (buffer_.size() >= write_bytes) {
    return flush();
  }
  return {};
}

Result<void, StorageProblem> RecordWriter::flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    const ssize_t put = calls_->pwrite(file_.number(), buffer_.data() + done, buffer_.size() - done,
                                       static_cast<off_t>(written_ + done));
    if (put < 0 && errno == EINTR) {
      continue;
    }
    if (put <= 0) {
      return Failure<StorageProblem>(machine_problem(path_, "write", put < 0 ? errno : ENOSPC));
    }
    done += static_cast<std::size_t>(put);
  }
  written_ += done;
  buffer_.clear();
  return {};
}

Result<void, StorageProblem> RecordWriter::sync() {
  if (auto flushed = flush(); !flushed) {
    return flushed;
  }
  if (synced_ == written_) {
    return {};
  }
  if (calls_->fdatasync(file_.number()) != 0) {
    return Failure<StorageProblem>(machine_problem(path_, "fdatasync", errno));
  }
  synced_ = written_;
  return {};
}

}  // namespace mallard::bridge::file
