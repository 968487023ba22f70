// The unreported works of one link, in posting order, and the rule by which they are reported: an unsignaled
// work that succeeded is covered by the next one that is reported.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "config/contract/one_sided.h"

namespace mallard::memory {

inline constexpr std::size_t inline_bytes_max = 256;

struct QueuedWork {
  Work work;
  bool done = false;
  WorkStatus status = WorkStatus::ok;
  std::uint64_t previous = 0;
  std::uint64_t tag = 0;  // the backend's
};

class WorkQueue {
 public:
  // Allocates all it needs; `with_copies` keeps room for the bytes of short writes too.
  WorkQueue(std::size_t depth, bool with_copies)
      : works_(depth), copies_(with_copies ? depth * inline_bytes_max : 0) {}

  [[nodiscard]] std::size_t depth() const { return works_.size(); }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::size_t room() const { return works_.size() - count_; }
  [[nodiscard]] bool all_done() const { return done_ == count_; }

  // There must be room.
  QueuedWork& push(const Work& work);
  // Copies the bytes of short writes that wait, so that their poster may change them. For queues with copies.
  void keep_sources();
  // The oldest that is not done. There must be one.
  [[nodiscard]] QueuedWork& first_waiting() { return works_[(head_ + done_) % works_.size()]; }
  // Marks that one done.
  void finish_first(WorkStatus status, std::uint64_t previous);
  // Marks all that wait, and all that nothing has covered yet, as flushed: the link was reset.
  void flush();
  // Writes reports of what is done, oldest first; `retired` is the tag of the last work that left, 0 if none.
  [[nodiscard]] std::size_t report(std::span<WorkDone> reports, std::uint64_t& retired);

 private:
  std::vector<QueuedWork> works_;
  std::vector<std::byte> copies_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
  std::size_t done_ = 0;  // the oldest so many are done
};

}  // namespace mallard::memory
