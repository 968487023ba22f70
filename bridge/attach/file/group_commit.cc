#include "bridge/attach/file/group_commit.h"

#include <algorithm>
#include <utility>

#include "config/base/limits.h"

namespace mallard::bridge::file {

GroupCommit::GroupCommit(std::size_t orders_max, Callbacks callbacks)
    : orders_max_(orders_max), callbacks_(std::move(callbacks)) {
  waiting_.reserve(orders_max);
  group_.reserve(orders_max);
  done_.reserve(links_max);
  reported_.reserve(links_max);
  thread_ = std::thread([this] { run(); });
}

GroupCommit::~GroupCommit() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool GroupCommit::submit(const AppendOrder& order) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() == orders_max_) {
      return false;
    }
    waiting_.push_back(order);
  }
  changed_.notify_one();
  return true;
}

std::optional<Applied> GroupCommit::poll() {
  if (reported_.empty()) {
    const std::lock_guard lock(mutex_);
    std::swap(reported_, done_);
  }
  if (reported_.empty()) {
    return std::nullopt;
  }
  const Applied applied = reported_.back();
  reported_.pop_back();
  return applied;
}

void GroupCommit::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) {
        return;
      }
      std::swap(group_, waiting_);
    }
    if (const auto written = write_all(); !written) {
      callbacks_.on_failure(written.error());
      return;
    }
    report();
    group_.clear();
    callbacks_.wake();
  }
}

Result<void, StorageProblem> GroupCommit::write_all() {
  for (const AppendOrder& order : group_) {
    if (auto appended = order.writer->append(order.header.count, order.proof_bytes, order.payload);
        !appended) {
      return appended;
    }
  }
  for (const AppendOrder& order : group_) {
    if (auto synced = order.writer->sync(); !synced) {
      return synced;
    }
  }
  return {};
}

void GroupCommit::report() {
  const std::lock_guard lock(mutex_);
  for (const AppendOrder& order : group_) {
    const auto known = std::ranges::find(done_, order.link, &Applied::link);
    Applied& applied = known != done_.end() ? *known : done_.emplace_back();
    applied = {.link = order.link, .cursor = order.header.batch, .cursor_message = order.header.last()};
  }
}

}  // namespace mallard::bridge::file
