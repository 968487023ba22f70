// What a mirror carries: the measurement behind `mallard bench mirror`.
#pragma once

#include <cstdint>
#include <string>

#include "config/base/result.h"

namespace mallard::cli {

// Clusters of so many members on both sides, here and at the peer.
inline constexpr std::uint16_t mirror_members = 3;

// A source of this version keeps 8 MiB of a link for a destination that is not there yet; a preloaded mirror
// must fit.
inline constexpr std::uint64_t mirror_bytes_max = 7ULL << 20;

struct MirrorSettings {
  std::uint64_t values = 5'000;
  std::uint32_t bytes = 1'024;
};

struct MirrorFigures {
  double values_per_second = 0;
  double lag_ms_p50 = 0;
  double lag_ms_p99 = 0;
  double cpu_us_per_value = 0;
};

// A cluster of ours is filled, then another one with its gateways is started, and takes everything over: both
// with durability disk, TLS between them. Rate and CPU (of all twelve processes) are those of the last nine
// tenths: until every replica of the destination has the last value. Then the lag: single writes to the idle
// source, from the acknowledgement until every replica of the destination has them. Counts if every replica
// there has every value, byte for byte. The error is a sentence.
[[nodiscard]] Result<MirrorFigures, std::string> run_mirror(const MirrorSettings& settings,
                                                            const volatile int& interrupted);

}  // namespace mallard::cli
