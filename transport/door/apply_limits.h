// How far a gateway may be ahead of its replica with batches to apply. Both keep to it: the gateway tells no
// more beyond the cursor, and the replica, which holds every batch that it was told until the cursor has
// passed it, ends the connection of one that does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mallard::transport::door {

// Per link.
inline constexpr std::size_t applies_ahead_max = 1024;
// Of payload, over all links; but one batch of each link may always go. A small part of the replica's memory
// for what is under way, so that there is room for clients, and for the snapshot without which the cursor may
// not move at all.
inline constexpr std::uint64_t apply_bytes_ahead_max = 16ULL << 20;

}  // namespace mallard::transport::door
