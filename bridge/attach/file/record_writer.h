// Appends records to a log. Only one may write a log at a time; the directory's lock sees to that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "bridge/attach/file/file_calls.h"
#include "bridge/attach/file/record_format.h"
#include "bridge/attach/file/storage_problem.h"
#include "config/base/result.h"

namespace mallard::bridge::file {

class RecordWriter {
 public:
  // Makes the log durable if it is not there, else goes on at `end`, where a reader of the whole log arrived,
  // and cuts off what is torn after it. `calls` outlives the writer.
  [[nodiscard]] static Result<RecordWriter, StorageProblem> open(const std::filesystem::path& path,
                                                                 LogKind kind, std::string_view name,
                                                                 const RecordPosition& end,
                                                                 const WriteCalls& calls);

  // Appends a record behind the last one; `messages` and `proof_bytes` as in RecordHead. May write, never
  // syncs.
  [[nodiscard]] Result<void, StorageProblem> append(std::uint16_t messages, std::uint16_t proof_bytes,
                                                    ByteView payload);
  // Hands everything to the operating system.
  [[nodiscard]] Result<void, StorageProblem> flush();
  // Makes everything durable. After an error of this or of the others nothing more may be written: what the
  // failed call left on the disk is unknown, and trying it again would hide that.
  [[nodiscard]] Result<void, StorageProblem> sync();

  [[nodiscard]] const RecordPosition& position() const { return position_; }
  [[nodiscard]] std::uint64_t cut_bytes() const { return cut_bytes_; }

 private:
  RecordWriter(std::filesystem::path path, LogKind kind, std::string_view name, const WriteCalls& calls);
  [[nodiscard]] Result<void, StorageProblem> create();
  [[nodiscard]] Result<void, StorageProblem> go_on(const RecordPosition& end);

  std::filesystem::path path_;
  LogKind kind_;
  RecordHash seed_;
  const WriteCalls* calls_;
  FileDescriptor file_;
  RecordPosition position_;
  std::uint64_t written_ = 0;  // offset up to which the operating system has it
  std::uint64_t synced_ = 0;
  std::uint64_t cut_bytes_ = 0;
  std::vector<std::byte> buffer_;  // what lies between written_ and position_
};

}  // namespace mallard::bridge::file
