// How much one peer may pull: a rate with a burst, and the same batch not twice in a short time. A greedy or
// lying peer costs no more than this.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "config/base/time.h"

namespace mallard::bridge {

class PullBudget {
 public:
  static constexpr std::int64_t bytes_per_second = 64LL << 20;
  static constexpr std::int64_t burst_bytes = 16LL << 20;
  static constexpr Duration repeat_after = Duration::milliseconds(500);

  // Whether the batch may be served now; if so it is booked. A batch larger than what is left is served and
  // leaves a debt, so that large batches are not starved.
  bool grant(std::uint64_t batch, Instant now) {
    refill(now);
    Served& last = recent_[batch % recent_.size()];
    if (bytes_left_ <= 0 || (last.batch == batch && now < last.at + repeat_after)) {
      return false;
    }
    last = {batch, now};
    return true;
  }
  void spend(std::uint32_t bytes) { bytes_left_ -= bytes; }

 private:
  struct Served {
    std::uint64_t batch = 0;
    Instant at;
  };

  void refill(Instant now) {
    const std::int64_t elapsed_us = std::min<std::int64_t>((now - refilled_at_).ns / 1000, 1'000'000);
    const std::int64_t added = elapsed_us * (bytes_per_second / 1'000'000);
    if (added > 0) {
      bytes_left_ = std::min(bytes_left_ + added, burst_bytes);
      refilled_at_ = now;
    }
  }

  std::int64_t bytes_left_ = burst_bytes;
  Instant refilled_at_;
  std::array<Served, 256> recent_{};
};

}  // namespace mallard::bridge
