// Decoded frames as fields and back as bytes: what the codec's tests and its fuzz target compare by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/ack_report.h"
#include "bridge/core/effect.h"
#include "bridge/core/frame.h"
#include "bridge/wire/frame_codec.h"
#include "tests/bridge/wire/reference_decoder.h"

namespace mallard::bridge::wire {

// The sections that a frame under test names, by link.
class SectionTable {
 public:
  [[nodiscard]] const AckReport& ack_of(LinkIndex link) const { return acks.at(link.value); }
  [[nodiscard]] PositionSection position_of(LinkIndex link) const { return positions.at(link.value); }

  std::vector<AckReport> acks;
  std::vector<PositionSection> positions;
};

// Everything that the frame says, under the names that reference_decode() uses.
FrameFields fields_of(const Frame& frame);

// The frame's own bytes, from what was decoded.
std::vector<std::uint8_t> encode_again(const Frame& frame);

// The head of `frame` as plain bytes.
std::vector<std::uint8_t> encode_to_bytes(const SendFrame& frame, const SectionTable& sections);

// Decodes plain bytes; views in the result refer to `head`.
Result<Frame, FrameError> decode_bytes(const std::vector<std::uint8_t>& head, std::size_t body_bytes);

}  // namespace mallard::bridge::wire
