#include "bridge/attach/file/file_attachment.h"

#include <algorithm>
#include <utility>

#include "config/base/invariant.h"

namespace mallard::bridge::file {

Result<std::unique_ptr<FileAttachment>, StorageProblem> FileAttachment::open(
    const FileAttachmentSettings& settings, PayloadPool& pool, FileAttachmentCallbacks callbacks,
    const WriteCalls& calls) {
  auto lock = DirectoryLock::take(settings.directory);
  if (!lock) {
    return Failure<StorageProblem>(
        StorageProblem{.fault = lock.error().occupied ? StorageFault::occupied : StorageFault::machine,
                       .what = lock.error().what,
                       .advice = lock.error().advice});
  }
  std::unique_ptr<FileAttachment> attachment(
      new FileAttachment(settings, pool, std::move(callbacks), calls, std::move(*lock)));
  if (const auto opened = attachment->open_logs(settings); !opened) {
    return Failure<StorageProblem>(opened.error());
  }
  return attachment;
}

FileAttachment::FileAttachment(const FileAttachmentSettings& settings, PayloadPool& pool,
                               FileAttachmentCallbacks callbacks, const WriteCalls& calls, DirectoryLock lock)
    : pool_(pool),
      callbacks_(std::move(callbacks)),
      calls_(calls),
      lock_(std::move(lock)),
      committed_(settings.directory, settings.cluster, settings.outbound),
      commits_(settings.applies_max, {.wake = callbacks_.wake, .on_failure = callbacks_.on_failure}) {}

Result<void, StorageProblem> FileAttachment::open_logs(const FileAttachmentSettings& settings) {
  for (const FileAttachmentSettings::Inbound& link : settings.inbound) {
    auto log = DeliveredLog::open(settings.directory, link.name, link.link, calls_);
    if (!log) {
      return Failure<StorageProblem>(log.error());
    }
    inbound_.push_back({link.link, std::move(*log)});
  }
  for (;;) {
    const auto followed = committed_.follow(follow_bytes);
    if (!followed) {
      return Failure<StorageProblem>(followed.error());
    }
    if (!*followed) {
      return {};
    }
  }
}

void FileAttachment::tap_from(LinkIndex link, BatchNumber after) { committed_.tap_from(link, after); }

std::optional<StoredBatch> FileAttachment::tap_next(LinkIndex link) {
  if (failed_) {
    return std::nullopt;
  }
  const auto batch = committed_.tap_next(link, pool_);
  if (!batch) {
    fail(batch.error());
    return std::nullopt;
  }
  return *batch;
}

LogExtent FileAttachment::extent(LinkIndex link) {
  const LogExtent before = committed_.extent(link);
  if (failed_) {
    return before;
  }
  const auto followed = committed_.follow(follow_bytes);
  if (!followed) {
    fail(followed.error());
    return before;
  }
  const LogExtent extent = committed_.extent(link);
  // Nothing of it passed this link's filter, but there may be more: the loop must not wait for another
  // notice.
  if (*followed && extent.newest == before.newest) {
    callbacks_.wake();
  }
  return extent;
}

AppliedCursor FileAttachment::cursor(LinkIndex link) { return delivered(link).found(); }

void FileAttachment::apply(const Apply& order) {
  // The core's window is smaller than what may wait for the disk.
  MALLARD_INVARIANT(delivered(order.context.link).submit(order, pool_.view(order.payload), commits_));
}

void FileAttachment::load(const LoadBatch& order) { loads_.push(order); }

std::optional<BatchLoaded> FileAttachment::poll_loaded() {
  const std::optional<LoadBatch> order = loads_.pop();
  if (!order) {
    return std::nullopt;
  }
  if (failed_) {
    return answer_to(*order, std::nullopt);
  }
  const auto loaded = delivered(order->link).load(order->batch, pool_);
  if (!loaded) {
    fail(loaded.error());
    return answer_to(*order, std::nullopt);
  }
  return answer_to(*order, *loaded);
}

std::optional<Applied> FileAttachment::poll() {
  const std::optional<Applied> applied = commits_.poll();
  if (applied) {
    delivered(applied->link).durable(applied->cursor);
  }
  return applied;
}

DeliveredLog& FileAttachment::delivered(LinkIndex link) {
  const auto found = std::ranges::find(inbound_, link, &Inbound::link);
  MALLARD_INVARIANT(found != inbound_.end());
  return *found->log;
}

void FileAttachment::fail(const StorageProblem& problem) {
  failed_ = true;
  callbacks_.on_failure(problem);
}

}  // namespace mallard::bridge::file
