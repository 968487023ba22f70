#include "tests/integration/deployment/waiting.h"

#include <poll.h>

#include <algorithm>
#include <ctime>

namespace mallard::integration {

Instant clock_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return {static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec};
}

bool wait_until(Duration limit, const std::function<bool()>& condition) {
  const Instant end = clock_now() + limit;
  while (!condition()) {
    if (clock_now() >= end) return condition();
    ::poll(nullptr, 0, 10);
  }
  return true;
}

void let_pass(Duration span) {
  const Instant end = clock_now() + span;
  for (Duration rest = span; rest.ns > 0; rest = end - clock_now()) {
    ::poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(rest.ns / 1'000'000 + 1, 1000)));
  }
}

}  // namespace mallard::integration
