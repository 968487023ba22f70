// The destination side of an attachment: what one link has delivered at this replica, in order, with the
// cursor in the same record. The log is the RSM's state; nothing else knows the cursor.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/attach/file/group_commit.h"
#include "bridge/attach/file/record_reader.h"
#include "bridge/attach/file/record_writer.h"
#include "bridge/attach/file/sparse_index.h"
#include "bridge/attach/file/storage_problem.h"
#include "bridge/core/effect.h"
#include "bridge/gateway/attachment.h"
#include "config/base/payload_pool.h"
#include "config/base/result.h"

namespace mallard::bridge::file {

// DIR/delivered-LINK.log, and DIR/opened-LINK, which says that there was such a log.
[[nodiscard]] std::filesystem::path delivered_log_path(const std::filesystem::path& directory,
                                                       std::string_view link);
[[nodiscard]] std::filesystem::path opened_mark_path(const std::filesystem::path& directory,
                                                     std::string_view link);

class DeliveredLog {
 public:
  // Reads the whole log, cuts off a torn end, refuses a damaged one. Makes both files where they are missing.
  [[nodiscard]] static Result<std::unique_ptr<DeliveredLog>, StorageProblem> open(
      const std::filesystem::path& directory, std::string_view name, LinkIndex link, const WriteCalls& calls);

  // As it was found: `storage_lost` when the mark was there and the log was not.
  [[nodiscard]] const AppliedCursor& found() const { return found_; }

  // Hands the batch to `commits` if it continues what was submitted before; else it is a no-op, as an RSM
  // would treat it. `payload` stays valid until the batch is durable. False only when `commits` is full.
  [[nodiscard]] bool submit(const Apply& order, ByteView payload, GroupCommit& commits);
  // `commits` reported the batches up to this one.
  void durable(BatchNumber through) { durable_ = through.value; }

  // Reads a durable batch back into a slot of `pool`. Nothing when it is not durable yet or the pool has no
  // room.
  [[nodiscard]] Result<std::optional<StoredBatch>, StorageProblem> load(BatchNumber batch, PayloadPool& pool);

 private:
  // Bounds the memory of the index.
  static constexpr std::size_t places_max = 16'384;

  DeliveredLog(std::filesystem::path path, std::string_view name, LinkIndex link);
  [[nodiscard]] Result<void, StorageProblem> read_all();
  [[nodiscard]] Result<void, StorageProblem> set_mark(const std::filesystem::path& mark);
  void note(std::uint64_t batch, std::uint64_t offset) { index_.offer(batch, offset); }

  std::filesystem::path path_;
  std::string name_;
  LinkIndex link_;
  RecordHash seed_;
  AppliedCursor found_;
  RecordPosition
      submitted_;  // as the log will be when all that was submitted is written; its hash is not kept
  std::uint64_t durable_ = 0;
  SparseIndex<std::uint64_t> index_{places_max};  // offset of a batch's record
  std::optional<RecordWriter> writer_;            // the commit thread's, once submit() was called
  FileDescriptor reading_;
  std::vector<std::byte> record_;  // being read back
};

}  // namespace mallard::bridge::file
