// The bytes of the door. A message travels as
//
//   u32 body bytes, u16 head bytes    the frame's header
//   head     u8 kind, then the fields of the struct in their order: integers little-endian, enumerations and
//            bools as one byte, proof_bytes where it stands; nothing after the last field
//   body     as it lies in its slot
//
// Decoding is the only way in for foreign bytes: what it gives is within every limit of door_message.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "config/base/payload_ref.h"
#include "transport/door/door_message.h"

namespace mallard::transport::door {

inline constexpr std::size_t frame_header_bytes = 6;
inline constexpr std::size_t head_bytes_max = 64;

struct FrameLengths {
  std::uint32_t body_bytes = 0;
  std::uint16_t head_bytes = 0;
};

// Of exactly frame_header_bytes. Nothing when a length is beyond head_bytes_max or body_bytes_max, or the
// head is empty.
[[nodiscard]] std::optional<FrameLengths> decode_frame_header(ByteView header);

// Of a head and the slot of its body (PayloadRef{}: none). Nothing when the head is not exactly one message,
// a value is out of its range, or the body does not fit the message; the slot stays the caller's then. The
// mark and the versions of a Hello are judged by who answers it.
[[nodiscard]] std::optional<DoorMessage> decode_message(ByteView head, PayloadRef body);

// Frame header and head, to the front of `out`, which has room for both at their largest; returns their
// length. The body follows. The message is one that decode_message() would take.
std::size_t encode_head(const DoorMessage& message, ByteSpan out);

// The message's body; the empty reference where it has none.
[[nodiscard]] PayloadRef body_of(const DoorMessage& message);
// Whether a caller in this role may say it, after the hello.
[[nodiscard]] bool is_said_by(Role role, const DoorMessage& message);
[[nodiscard]] bool is_said_by_replica(const DoorMessage& message);

}  // namespace mallard::transport::door
