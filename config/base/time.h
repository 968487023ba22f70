// Time as the cores see it: a value that comes in with every event. Nothing here reads a clock.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace mallard {

// A span of time in nanoseconds. Arithmetic saturates at the ends instead of overflowing.
struct Duration {
  std::int64_t ns = 0;

  static constexpr Duration nanoseconds(std::int64_t v) { return {v}; }
  static constexpr Duration microseconds(std::int64_t v) { return {v * 1'000}; }
  static constexpr Duration milliseconds(std::int64_t v) { return {v * 1'000'000}; }
  static constexpr Duration seconds(std::int64_t v) { return {v * 1'000'000'000}; }
  static constexpr Duration forever() { return {std::numeric_limits<std::int64_t>::max()}; }

  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) {
    std::int64_t sum = 0;
    return __builtin_add_overflow(a.ns, b.ns, &sum) ? forever() : Duration{sum};
  }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
  friend constexpr Duration operator*(Duration a, std::int64_t factor) {
    std::int64_t product = 0;
    return __builtin_mul_overflow(a.ns, factor, &product) ? forever() : Duration{product};
  }
  friend constexpr Duration operator/(Duration a, std::int64_t divisor) { return {a.ns / divisor}; }
};

// A point on a process's own monotonic clock, in nanoseconds since an arbitrary start; never negative.
// Instants of different processes must not be compared.
struct Instant {
  std::int64_t ns = 0;

  static constexpr Instant never() { return {std::numeric_limits<std::int64_t>::max()}; }

  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant at, Duration d) {
    std::int64_t sum = 0;
    return __builtin_add_overflow(at.ns, d.ns, &sum) ? never() : Instant{sum};
  }
  friend constexpr Instant operator-(Instant at, Duration d) { return {at.ns - d.ns}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
};

}  // namespace mallard
