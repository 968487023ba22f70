// A slow, obvious reader of the framing in transport/channel/frame_header.h: the twin of FrameAssembler.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/base/bytes.h"

namespace mallard::transport {

struct StreamFrame {
  std::vector<std::byte> head;
  std::vector<std::byte> body;
  std::size_t offset = 0;  // where it ends in the stream
};

// The whole frames at the front of `stream`, in the order in which they end; a rest that is cut off is left
// out. Stops at the first fault and then sets *faulty, when there is one.
[[nodiscard]] std::vector<StreamFrame> frames_of(ByteView stream, bool* faulty = nullptr);

// The first byte of each head.
[[nodiscard]] std::string names_of(const std::vector<StreamFrame>& frames);

}  // namespace mallard::transport
