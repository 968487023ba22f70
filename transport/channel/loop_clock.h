// The monotonic clock of the thread that runs channels.
#pragma once

#include <chrono>

#include "config/base/time.h"

namespace mallard::transport {

[[nodiscard]] inline Instant loop_now() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return Instant{std::chrono::duration_cast<std::chrono::nanoseconds>(since_start).count()};
}

}  // namespace mallard::transport
