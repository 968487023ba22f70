// What a link between two sites does to packets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/time.h"

namespace mallard::integration {

// For each direction. Chances are parts of a million for each packet.
struct Impairment {
  Duration delay;   // one way
  Duration jitter;  // at most this much more, without overtaking
  std::uint64_t loss_ppm = 0;
  std::uint64_t duplicate_ppm = 0;
  std::uint64_t reorder_ppm = 0;  // held back by reorder_delay, so that others overtake it
  Duration reorder_delay = Duration::milliseconds(4);
};

}  // namespace mallard::integration
