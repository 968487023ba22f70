// Loads that wait for their answers, for attachments that read a batch when the gateway comes for it: never
// more than one is in memory then.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "bridge/core/effect.h"
#include "bridge/core/event.h"
#include "config/base/invariant.h"

namespace mallard::bridge {

class LoadQueue {
 public:
  // The gateway fetches all answers that are ready before its next event from outside, and answers order no
  // loads: what one step orders is the most that ever waits.
  static constexpr std::size_t loads_max = 2 * effects_per_step_max;

  void push(const LoadBatch& order) {
    MALLARD_INVARIANT(size_ < loads_max);
    loads_[(first_ + size_) % loads_max] = order;
    ++size_;
  }
  // The oldest, which does not wait any more.
  [[nodiscard]] std::optional<LoadBatch> pop() {
    if (size_ == 0) {
      return std::nullopt;
    }
    const LoadBatch order = loads_[first_];
    first_ = (first_ + 1) % loads_max;
    --size_;
    return order;
  }
  [[nodiscard]] bool full() const { return size_ == loads_max; }

 private:
  std::array<LoadBatch, loads_max> loads_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

// What to say to `order` when this was found.
[[nodiscard]] inline BatchLoaded answer_to(const LoadBatch& order, const std::optional<StoredBatch>& found) {
  BatchLoaded answer{
      .link = order.link, .for_peer = order.for_peer, .found = false, .header = {}, .payload = {}};
  answer.header.batch = order.batch;
  if (found) {
    answer.found = true;
    answer.header = found->header;
    answer.payload = found->payload;
    answer.proof_bytes = found->proof_bytes;
  }
  return answer;
}

}  // namespace mallard::bridge
