// Whether something that is under way moves on at a least speed.
#pragma once

#include <cstdint>

#include "config/base/time.h"

namespace mallard::transport {

// From the moment it begins, every `step_bytes` bytes must take less than `step_time`. Ending is a step, too.
class ProgressDeadline {
 public:
  static constexpr std::uint64_t step_bytes = 64U << 10;

  explicit constexpr ProgressDeadline(Duration step_time) : step_time_(step_time) {}

  // Nothing is under way.
  void rest() { deadline_ = Instant::never(); }
  // Something is under way and `total` bytes, counted since any start, have passed.
  void observe(std::uint64_t total, Instant now) {
    if (deadline_ == Instant::never() || total - step_start_ >= step_bytes) {
      step_start_ = total;
      deadline_ = now + step_time_;
    }
  }
  [[nodiscard]] bool missed(Instant now) const { return now >= deadline_; }

 private:
  Duration step_time_;
  std::uint64_t step_start_ = 0;
  Instant deadline_ = Instant::never();
};

}  // namespace mallard::transport
