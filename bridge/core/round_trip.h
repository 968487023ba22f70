// How long a peer takes to answer, smoothed as TCP does it (RFC 6298). The sample is what an echo proves: the
// time since the echoed stamp was issued, less the time that the peer says it held it.
#pragma once

#include <algorithm>

#include "config/base/time.h"

namespace mallard::bridge {

class RoundTrip {
 public:
  void add(Duration sample) {
    if (!known_) {
      known_ = true;
      smoothed_ = sample;
      variation_ = sample / 2;
      return;
    }
    const Duration error = sample > smoothed_ ? sample - smoothed_ : smoothed_ - sample;
    variation_ = variation_ + (error - variation_) / 4;
    smoothed_ = smoothed_ + (sample - smoothed_) / 8;
  }

  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] Duration smoothed() const { return smoothed_; }
  // After this long without an answer something was lost: two round trips, since what is awaited may have had
  // to pass through a second replica, and the usual four variations.
  [[nodiscard]] Duration timeout() const { return smoothed_ * 2 + variation_ * 4; }

 private:
  bool known_ = false;
  Duration smoothed_;
  Duration variation_;
};

}  // namespace mallard::bridge
