// How long to wait before the next dial.
#pragma once

#include <algorithm>
#include <cstdint>

#include "config/base/prng.h"
#include "config/base/time.h"
#include "transport/channel/channel_limits.h"

namespace mallard::transport {

// Doubles from limits.redial_first to limits.redial_last. Each pause is drawn from its upper half, so that
// peers that lost the same neighbour at the same time do not come back in step.
class RedialPause {
 public:
  RedialPause(const ChannelLimits& limits, Prng prng)
      : first_(limits.redial_first), last_(limits.redial_last), next_(limits.redial_first), prng_(prng) {}

  [[nodiscard]] Duration draw() {
    const auto half = static_cast<std::uint64_t>(next_.ns / 2);
    const Duration drawn =
        Duration::nanoseconds(next_.ns - static_cast<std::int64_t>(prng_.between(0, half)));
    next_ = std::min(next_ * 2, last_);
    return drawn;
  }
  // The last channel was a good one.
  void reset() { next_ = first_; }

 private:
  Duration first_;
  Duration last_;
  Duration next_;
  Prng prng_;
};

}  // namespace mallard::transport
