// Spans of time as /status shows them.
#pragma once

#include <cstdint>

#include "config/base/time.h"

namespace mallard::cli {

// In seconds, cut to whole milliseconds: nobody reads more, and a page is easier to compare.
[[nodiscard]] constexpr double page_seconds(Duration span) {
  const std::int64_t milliseconds = span.ns / 1'000'000;
  return static_cast<double>(milliseconds) / 1e3;
}

}  // namespace mallard::cli
