// Waiting for something that other processes bring about.
#pragma once

#include <functional>

#include "config/base/time.h"

namespace mallard::integration {

// The monotonic clock.
[[nodiscard]] Instant clock_now();

// Asks `condition` every few milliseconds. True as soon as it holds, false once `limit` has passed without.
bool wait_until(Duration limit, const std::function<bool()>& condition);

// Lets real time pass: for faults that last, never for a condition.
void let_pass(Duration span);

}  // namespace mallard::integration
