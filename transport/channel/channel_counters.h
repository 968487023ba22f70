// What is counted about channels. Written by the loop, read on its thread.
#pragma once

#include <array>
#include <cstdint>

#include "transport/channel/channel_observer.h"

namespace mallard::transport {

// Of one peer, over all of its channels since start.
struct PeerCounters {
  std::uint64_t channels_opened = 0;
  std::array<std::uint64_t, close_reasons> channels_closed{};  // by CloseReason
  std::uint64_t dials = 0;
  std::uint64_t dials_failed = 0;
  std::uint64_t frames_in = 0;
  std::uint64_t frames_out = 0;      // handed to TLS
  std::uint64_t frame_bytes_in = 0;  // heads and bodies with their framing
  std::uint64_t frame_bytes_out = 0;
  std::uint64_t wire_bytes_in = 0;  // TLS records, of channels that came up
  std::uint64_t wire_bytes_out = 0;
  std::uint64_t frames_refused = 0;  // by send(): channel down or lane full
  std::uint64_t frames_dropped = 0;  // queued when the channel went down
  std::uint64_t reads_held = 0;      // times reading stopped because the pool had no slot
};

// Of connections that nobody has proved to be a peer's.
struct AcceptCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused_by_rate = 0;
  std::uint64_t refused_by_pending = 0;  // pending_handshakes were taken
  std::uint64_t handshake_deadlines = 0;
  std::uint64_t handshakes_failed = 0;  // not TLS, wrong TLS, closed early
  std::uint64_t unknown_keys = 0;       // proved a key that no peer who may dial has
  std::uint64_t hellos_refused = 0;     // any reason in hello.h
};

}  // namespace mallard::transport
