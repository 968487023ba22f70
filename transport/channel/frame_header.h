// The framing of frames inside TLS.
//
//   frame     u32 total length, these six bytes included; u16 head length; head; body (the rest)
//   insertion after each 64 KiB of a body, unless the body ends there: u8 number of frames, then that many
//   whole frames
//             of at most 64 KiB each, then the body goes on
//
// Integers little-endian. Insertions are how control frames overtake a large data frame. Their bytes are not
// counted in the frame that they interrupt, and frames inside an insertion are too short to be interrupted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/bytes.h"
#include "config/base/result.h"
#include "transport/channel/channel_limits.h"

namespace mallard::transport {

inline constexpr std::size_t frame_header_bytes = 6;
inline constexpr std::size_t inserted_frame_bytes_max = 64U << 10;

struct FrameHeader {
  std::uint16_t head_bytes = 0;  // 1 to frame_head_bytes_max
  std::uint32_t body_bytes = 0;  // 0 to frame_body_bytes_max
  friend constexpr bool operator==(FrameHeader, FrameHeader) = default;

  [[nodiscard]] constexpr std::size_t frame_bytes() const {
    return frame_header_bytes + head_bytes + body_bytes;
  }
};

enum class FrameHeaderError : std::uint8_t {
  malformed,  // fewer than six bytes, no head, or a head that ends after its frame
  oversized,  // head or body above its limit
};

inline void encode_frame_header(FrameHeader header, ByteWriter& out) {
  out.write(static_cast<std::uint32_t>(header.frame_bytes()));
  out.write(header.head_bytes);
}

[[nodiscard]] inline Result<FrameHeader, FrameHeaderError> decode_frame_header(ByteView bytes) {
  ByteReader reader(bytes);
  const std::size_t total = reader.read<std::uint32_t>();
  const std::size_t head = reader.read<std::uint16_t>();
  if (!reader.ok() || head == 0 || total < frame_header_bytes + head) {
    return Failure<FrameHeaderError>(FrameHeaderError::malformed);
  }
  const std::size_t body = total - frame_header_bytes - head;
  if (head > frame_head_bytes_max || body > frame_body_bytes_max) {
    return Failure<FrameHeaderError>(FrameHeaderError::oversized);
  }
  return FrameHeader{.head_bytes = static_cast<std::uint16_t>(head),
                     .body_bytes = static_cast<std::uint32_t>(body)};
}

}  // namespace mallard::transport
