// The attachment `file`: an RSM that is a log in a directory. What the source's replicas commit is appended
// to DIR/committed.log by whoever decides it; what a link delivers is appended to DIR/delivered-LINK.log. It
// is the File RSM of Picsou's evaluation (section 6.1), with a durable cursor.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/attach/file/committed_log.h"
#include "bridge/attach/file/delivered_log.h"
#include "bridge/attach/file/group_commit.h"
#include "bridge/attach/file/storage_problem.h"
#include "bridge/gateway/attachment.h"
#include "bridge/gateway/load_queue.h"
#include "config/base/payload_pool.h"
#include "config/base/result.h"
#include "config/system/directory_lock.h"

namespace mallard::bridge::file {

struct FileAttachmentSettings {
  struct Inbound {
    LinkIndex link;
    std::string name;  // unique in the pairing; part of file names: letters, digits, '-', '_' and '.'
  };
  std::filesystem::path directory;  // exists
  std::string cluster;              // name of the own cluster
  std::vector<OutboundFilter> outbound;
  std::vector<Inbound> inbound;
  std::size_t applies_max = 65'536;  // batches that may wait for the disk, over all links
};

struct FileAttachmentCallbacks {
  std::function<void()> wake;  // poll() or extent() may have more; from any thread, also from inside a call
  // The storage has failed: nothing was or will be reported after it. From the loop's thread or another one.
  // Production ends the process: a write or sync that failed is never tried again.
  std::function<void(const StorageProblem&)> on_failure;
};

class FileAttachment final : public Attachment {
 public:
  // Takes the directory's lock, reads both sides' logs, mends torn ends. `pool` outlives the attachment.
  [[nodiscard]] static Result<std::unique_ptr<FileAttachment>, StorageProblem> open(
      const FileAttachmentSettings& settings, PayloadPool& pool, FileAttachmentCallbacks callbacks,
      const WriteCalls& calls);

  void tap_from(LinkIndex link, BatchNumber after) override;
  std::optional<StoredBatch> tap_next(LinkIndex link) override;
  LogExtent extent(LinkIndex link) override;
  AppliedCursor cursor(LinkIndex link) override;
  void apply(const Apply& order) override;
  void load(const LoadBatch& order) override;
  std::optional<Applied> poll() override;
  std::optional<BatchLoaded> poll_loaded() override;

 private:
  // How much of a grown log is read in one call: the loop must not stop for long.
  static constexpr std::size_t follow_bytes = 1U << 20;

  FileAttachment(const FileAttachmentSettings& settings, PayloadPool& pool, FileAttachmentCallbacks callbacks,
                 const WriteCalls& calls, DirectoryLock lock);
  [[nodiscard]] Result<void, StorageProblem> open_logs(const FileAttachmentSettings& settings);
  [[nodiscard]] DeliveredLog& delivered(LinkIndex link);
  void fail(const StorageProblem& problem);

  PayloadPool& pool_;
  FileAttachmentCallbacks callbacks_;
  WriteCalls calls_;
  DirectoryLock lock_;
  CommittedLog committed_;
  struct Inbound {
    LinkIndex link;
    std::unique_ptr<DeliveredLog> log;
  };
  std::vector<Inbound> inbound_;
  LoadQueue loads_;
  bool failed_ = false;
  GroupCommit commits_;  // last: its thread ends before what it writes to goes
};

}  // namespace mallard::bridge::file
