#include "transport/memory/shm/work_queue.h"

#include <cstring>

namespace mallard::memory {

QueuedWork& WorkQueue::push(const Work& work) {
  MALLARD_INVARIANT(count_ < works_.size());
  QueuedWork& queued = works_[(head_ + count_++) % works_.size()];
  queued.work = work;
  queued.done = false;
  queued.status = WorkStatus::ok;
  queued.previous = 0;
  queued.tag = 0;
  return queued;
}

void WorkQueue::keep_sources() {
  for (std::size_t i = done_; i < count_; ++i) {
    const std::size_t index = (head_ + i) % works_.size();
    Work& work = works_[index].work;
    if (work.kind != WorkKind::write || work.source.empty() || work.source.size() > inline_bytes_max)
      continue;
    const ByteSpan copy = ByteSpan(copies_).subspan(index * inline_bytes_max, work.source.size());
    if (work.source.data() == copy.data()) continue;
    std::memcpy(copy.data(), work.source.data(), copy.size());
    work.source = copy;
  }
}

void WorkQueue::finish_first(WorkStatus status, std::uint64_t previous) {
  MALLARD_INVARIANT(done_ < count_);
  QueuedWork& queued = first_waiting();
  queued.done = true;
  queued.status = status;
  queued.previous = previous;
  ++done_;
}

void WorkQueue::flush() {
  for (std::size_t i = 0; i < count_; ++i) {
    QueuedWork& queued = works_[(head_ + i) % works_.size()];
    if (!queued.done || (queued.status == WorkStatus::ok && !queued.work.signaled)) {
      queued.status = WorkStatus::flushed;
    }
    queued.done = true;
  }
  done_ = count_;
}

std::size_t WorkQueue::report(std::span<WorkDone> reports, std::uint64_t& retired) {
  std::size_t written = 0;
  std::size_t covered = 0;
  retired = 0;
  while (written < reports.size() && covered < done_) {
    const QueuedWork& queued = works_[(head_ + covered++) % works_.size()];
    if (queued.status == WorkStatus::ok && !queued.work.signaled) continue;
    reports[written++] = WorkDone{queued.work.id, queued.status, queued.previous};
    retired = queued.tag;
    head_ = (head_ + covered) % works_.size();
    count_ -= covered;
    done_ -= covered;
    covered = 0;
  }
  return written;
}

}  // namespace mallard::memory
