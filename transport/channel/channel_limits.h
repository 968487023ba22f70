// What a channel may use, and the closed formula of the memory that follows from it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/limits.h"
#include "config/base/time.h"

namespace mallard::transport {

// A frame is a head and a body, both opaque here.
inline constexpr std::size_t frame_head_bytes_max = 4096;
inline constexpr std::size_t frame_body_bytes_max = batch_bytes_max + proof_bytes_max;
// After this much of a body the writer lets control frames in.
inline constexpr std::size_t body_piece_bytes = 64U << 10;

// Room of one lane of one peer. A frame that does not fit is refused by send().
struct LaneLimits {
  std::uint32_t frames = 1024;
  std::uint32_t head_bytes = 256U << 10;  // at least frame_head_bytes_max
  std::uint64_t body_bytes = 16U << 20;   // in the pool; counted against the lane, not against the channel
};

struct ChannelLimits {
  LaneLimits data;
  LaneLimits control{.frames = 512, .head_bytes = 128U << 10, .body_bytes = 1U << 20};

  // Before a peer has proved who it is.
  std::uint32_t pending_handshakes = 256;  // further connections are closed at once
  Duration handshake_deadline =
      Duration::seconds(3);                   // from accept, or from the start of a dial, to both hellos read
  std::uint32_t handshake_bytes = 16U << 10;  // of TLS handshake from the peer
  std::uint32_t accepts_per_second = 512;     // total; a bucket of the same size allows a burst
  std::uint32_t accepts_per_second_and_prefix = 64;  // per IPv4 /24 or IPv6 /64

  // After that.
  Duration frame_deadline =
      Duration::seconds(3);  // for each 64 KiB of a frame that has begun, and for its end
  Duration write_deadline = Duration::seconds(10);  // for each 64 KiB that the peer does not take
  std::uint32_t frames_per_turn = 256;              // read from one peer before the others have their turn
  std::uint32_t bytes_per_turn = 1U << 20;          // read from, and written to, one peer likewise
  std::uint32_t key_updates_per_minute = 8;         // by the peer, beyond one for each 512 MiB received

  Duration redial_first = Duration::milliseconds(50);  // doubles, with jitter
  Duration redial_last = Duration::seconds(2);
};

// The most memory that a ChannelSet with `peers` peers holds, in bytes: its own buffers and OpenSSL's, all
// peers connected and all pending handshakes taken. Bodies are the pool's, kernel buffers the kernel's;
// neither is in here.
[[nodiscard]] std::uint64_t channel_memory_bytes(const ChannelLimits& limits, std::size_t peers);

}  // namespace mallard::transport
