// A frame's bytes, written from a decoded frame: a second, independent writer of the format that
// bridge/wire/frame_codec.h describes. Puppets use it to say what no production encoder would say; the
// frames_canonical checker uses it to prove that decoding loses nothing.
#pragma once

#include <cstddef>
#include <vector>

#include "bridge/core/frame.h"

namespace mallard::sim {

// Replaces the contents of `head`.
void write_image(const bridge::Frame& frame, std::vector<std::byte>& head);

}  // namespace mallard::sim
