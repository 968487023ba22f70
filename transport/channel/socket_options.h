// How the kernel treats the TCP connection under a channel.
#pragma once

#include <cstddef>

namespace mallard::transport {

// Written, but not yet on its way: more than this the kernel does not take, so that a control frame never
// waits behind a send buffer full of data.
inline constexpr int unsent_bytes_max = 128 << 10;

// On a connected socket: non-blocking, no delay of small segments, gives up 10 s after the peer stopped to
// acknowledge, probes an idle peer after 5 s, and takes at most unsent_bytes_max ahead. Options that a kernel
// does not know are left out; false when it cannot even be made non-blocking.
[[nodiscard]] bool prepare_socket(int socket);

// Makes close() forget the connection at once, for peers that are owed nothing.
void abandon_on_close(int socket);

}  // namespace mallard::transport
