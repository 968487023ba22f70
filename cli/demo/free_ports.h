// Ports of this machine that nobody listens on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mallard::cli {

// `count` distinct TCP ports that can be listened on at 127.0.0.1 right now, outside the range that the
// kernel hands out for outgoing connections: one that is given up for a moment is not taken by those. Fewer
// where there are not so many.
[[nodiscard]] std::vector<std::uint16_t> find_free_ports(std::size_t count);

}  // namespace mallard::cli
