// Writes a committed log: what stands for the RSM of a cluster of kind `file`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "bridge/attach/file/record_writer.h"
#include "bridge/attach/file/storage_problem.h"
#include "config/base/bytes.h"
#include "config/base/result.h"

namespace mallard::bridge::file {

// DIR/committed.log
[[nodiscard]] std::filesystem::path committed_log_path(const std::filesystem::path& directory);

// One entry is one decision of the RSM, and (unless it is very large) one batch of every link that its
// messages pass.
class CommittedLogWriter {
 public:
  // Goes on behind the last whole entry of DIR/committed.log, or makes it. All replicas of a cluster write
  // the same entries under the same cluster name; equal logs are equal byte for byte where they were synced
  // at the same entries.
  [[nodiscard]] static Result<CommittedLogWriter, StorageProblem> open(const std::filesystem::path& directory,
                                                                       std::string_view cluster);

  // Adds a message to the entry being made; false when it is empty, longer than message_bytes_max, or does
  // not fit the entry any more: then commit first.
  [[nodiscard]] bool add(ByteView message);
  // Ends the entry and appends it. Without messages it does nothing.
  [[nodiscard]] Result<void, StorageProblem> commit();
  // Makes what was committed visible to readers; sync() also makes it durable.
  [[nodiscard]] Result<void, StorageProblem> flush() { return writer_.flush(); }
  [[nodiscard]] Result<void, StorageProblem> sync() { return writer_.sync(); }

  [[nodiscard]] std::uint64_t entries() const { return writer_.position().number; }
  [[nodiscard]] std::uint64_t messages() const { return writer_.position().next_message - 1; }

 private:
  explicit CommittedLogWriter(RecordWriter writer);

  RecordWriter writer_;
  std::vector<std::byte> entry_;
  std::uint16_t entry_messages_ = 0;
};

}  // namespace mallard::bridge::file
