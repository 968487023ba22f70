// Reads a log from the front, record by record, and follows it as it grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/attach/file/file_calls.h"
#include "bridge/attach/file/record_format.h"
#include "bridge/attach/file/storage_problem.h"
#include "config/base/result.h"

namespace mallard::bridge::file {

struct RecordView {
  RecordHead head;
  ByteView payload;  // valid until the next call of the reader
  RecordHash hash{};
};

// Every record is checked against its place, its own bytes and the record before it. What does not fit is one
// of two:
//   torn     the end of the file, cut short by a crash or still being written: the record is not there yet.
//   damaged  anything else. What was once written must not be skipped, cut off or served.
// A full record with wrong bytes counts as torn only where a crash can have left it so: a sector of it (512
// bytes, or the part of one that belongs to it) is all zero, and no record after it was written when the file
// was durable beyond it.
class RecordReader {
 public:
  // The path must stay readable; the file may not exist yet. Allocates its buffer: the largest record.
  RecordReader(std::filesystem::path path, LogKind kind, std::string_view name);

  // The next record; nothing when it is not there yet: ask again later. After a problem the reader stays at
  // its place.
  [[nodiscard]] Result<std::optional<RecordView>, StorageProblem> next();

  // Where the record that next() gives lies.
  [[nodiscard]] const RecordPosition& position() const { return position_; }
  // Goes to a place where the log was once read, and reads from the file again.
  void seek(const RecordPosition& position);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const RecordHash& seed() const { return seed_; }

 private:
  static constexpr std::size_t read_ahead_bytes = 256U << 10;
  static constexpr std::size_t buffer_bytes =
      record_payload_bytes_max + record_overhead_bytes + read_ahead_bytes;
  using Outcome = Result<std::optional<RecordView>, StorageProblem>;

  [[nodiscard]] Result<bool, StorageProblem> open();
  // Makes the bytes from position_ on available, `count` of them if the file has as many.
  [[nodiscard]] Result<ByteView, StorageProblem> fetch(std::size_t count);
  [[nodiscard]] Outcome judge(ByteView record, const char* what);
  [[nodiscard]] Result<bool, StorageProblem> durable_beyond(std::uint64_t offset);
  [[nodiscard]] ByteSpan buffer() const { return {buffer_.get(), buffer_bytes}; }
  [[nodiscard]] StorageProblem damaged(const char* what) const;

  std::filesystem::path path_;
  LogKind kind_;
  RecordHash seed_;
  FileDescriptor file_;
  RecordPosition position_;
  // Not initialised: pages are touched only as far as records are long.
  std::unique_ptr<std::byte[]> buffer_;
  std::uint64_t buffer_offset_ = 0;  // of buffer_[0] in the file
  std::size_t buffered_ = 0;
};

}  // namespace mallard::bridge::file
