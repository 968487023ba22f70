// A second decoder of frame heads, written from the table at the top of frame_codec.h alone: slow, obvious,
// and sharing no code with the real one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mallard::bridge::wire {

// Every field by its name in the table, in order of appearance for repeated sections: "ack1.prefix" is the
// prefix of the second ack section. Nothing when the head is not one.
using FrameFields = std::map<std::string, std::uint64_t>;

// `body_bytes` is the length of what followed the head.
std::optional<FrameFields> reference_decode(const std::vector<std::uint8_t>& head, std::size_t body_bytes);

}  // namespace mallard::bridge::wire
