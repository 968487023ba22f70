// The two queues of a channel.
#pragma once

#include <cstdint>

namespace mallard::transport {

// Control frames (acknowledgements, pulls, probes) overtake queued data frames, and also a data frame under
// way: they are let in after each 64 KiB of its body. Within a lane frames keep their order.
enum class Lane : std::uint8_t { control, data };

}  // namespace mallard::transport
