// The bytes of a frame, little-endian, field by field. A frame travels as a head (everything below) and a
// body (the batch's payload and proof), which is never copied here.
//
//   head      u8 flags: bit 0 wants_ack, bit 1 batch, bit 2 pull, bits 3-4 number of position sections,
//             bits 5-6 number of ack sections, bit 7 zero; u48 stamp; u48 echo; u32 echo delay in us = 17
//             bytes
//   batch     u16 link, u32 generation, u32 source epoch, u32 destination epoch                    (context,
//   14 bytes)
//             u64 batch, u64 first message, u16 count, u8 round (saturated at 255), u8 attempt,
//             u16 batches from the hint up to this batch (65535: no hint), u16 proof bytes         = 38 bytes
//   position  context, u64 quacked, u64 committed batch, u64 committed message                     = 38 bytes
//   ack       context, u64 prefix, u64 durable, u16 words, words x u64                             = 32 + 8
//   words pull      context, u16 count, count x u64                                                      = 16
//   + 8 count
//
// Order: head, batch, positions, acks, pull. A data frame of a one-way link is 55 bytes of head.
//
// Every head that decodes is the only encoding of what it says. A hint is left out where it says nothing (0),
// is not below its batch, or is more than 65534 batches behind: it only speeds recovery up, and a later frame
// has a nearer one.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "bridge/core/ack_report.h"
#include "bridge/core/effect.h"
#include "bridge/core/frame.h"
#include "config/base/bytes.h"
#include "config/base/limits.h"
#include "config/base/result.h"

namespace mallard::bridge::wire {

inline constexpr std::size_t batch_frame_head_bytes = 55;
// The longest head: every section there is, each as long as it may be.
inline constexpr std::size_t frame_head_bytes_max = 17 + 38 + sections_per_frame_max * 38 +
                                                    sections_per_frame_max * (32 + phi_bits_max / 8) + 16 +
                                                    8 * pulls_per_frame_max;
// The longest body: a full batch and its proof.
inline constexpr std::size_t frame_body_bytes_max = batch_bytes_max + proof_bytes_max;

enum class FrameError : std::uint8_t {
  truncated,       // the head ends inside a field
  trailing_bytes,  // the head goes on after its last section
  out_of_range,    // a count, number or length is outside its range
  not_canonical,   // a second encoding of what has a shorter one: a phi-list with a zero last word, an empty
                   // pull
  body_mismatch,   // a body without a batch section, or a batch without a body, or a proof longer than its
                   // body
};
// A literal in plain words.
[[nodiscard]] const char* describe(FrameError error);

// Who knows the sections that a SendFrame only names: a BridgeCore that has made no step since it ordered the
// frame.
template <class Source>
concept SectionSource = requires(const Source& source, LinkIndex link) {
  { source.ack_of(link) } -> std::convertible_to<const AckReport&>;
  { source.position_of(link) } -> std::convertible_to<PositionSection>;
};

// The parts of encode_head(), in the order in which they are written.
void write_front(const SendFrame& frame, ByteWriter& writer);
void write_position(const PositionSection& position, ByteWriter& writer);
void write_ack(const AckReport& ack, ByteWriter& writer);
void write_pull(const PullSection& pull, ByteWriter& writer);

// Writes the head of `frame` and returns its length. `head` holds at least frame_head_bytes_max bytes.
template <SectionSource Source>
std::size_t encode_head(const SendFrame& frame, const Source& source, ByteSpan head) {
  ByteWriter writer(head);
  write_front(frame, writer);
  for (const LinkIndex link : frame.positions) {
    write_position(source.position_of(link), writer);
  }
  for (const LinkIndex link : frame.acks) {
    write_ack(source.ack_of(link), writer);
  }
  if (frame.has_pull) {
    write_pull(frame.pull, writer);
  }
  return writer.used();
}

// The only door for foreign bytes. What it returns is well-formed: counts and lengths are in their ranges,
// link and replica numbers are not checked against any configuration, and every claim may still be a lie.
// `body` is what followed the head, already in a pool; the frame refers to it and to `head` (phi-lists).
[[nodiscard]] Result<Frame, FrameError> decode_head(ByteView head, PayloadRef body);

}  // namespace mallard::bridge::wire
