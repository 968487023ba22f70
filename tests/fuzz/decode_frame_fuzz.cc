// Any bytes as a frame head: what decodes encodes to the same bytes again, and (for one input in 64, since it
// is slow) a second decoder agrees on whether they are a frame and on what it says. The first three bytes
// give the length of the body.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "tests/bridge/wire/frame_text.h"
#include "tests/bridge/wire/reference_decoder.h"

namespace {

namespace wire = mallard::bridge::wire;

// The sections of a decoded frame by their place in it.
class FrameSections {
 public:
  explicit FrameSections(const mallard::bridge::Frame& frame) : frame_(frame) {}

  [[nodiscard]] mallard::bridge::AckReport ack_of(mallard::LinkIndex place) const {
    const mallard::bridge::AckSection& ack = frame_.acks[place.value];
    mallard::bridge::AckReport report;
    report.context = ack.context;
    report.prefix = ack.prefix;
    report.durable = ack.durable;
    report.phi_words = ack.phi.words();
    for (std::size_t i = 0; i < report.phi_words; ++i) {
      report.phi[i] = ack.phi.word(i);
    }
    return report;
  }
  [[nodiscard]] mallard::bridge::PositionSection position_of(mallard::LinkIndex place) const {
    return frame_.positions[place.value];
  }

 private:
  const mallard::bridge::Frame& frame_;
};

bool encodes_to(const mallard::bridge::Frame& frame, mallard::ByteView head) {
  mallard::bridge::SendFrame again;
  static_cast<mallard::bridge::FrameHead&>(again) = frame;
  for (std::uint16_t i = 0; i < frame.positions.size(); ++i) {
    again.positions.push_back(mallard::LinkIndex(i));
  }
  for (std::uint16_t i = 0; i < frame.acks.size(); ++i) {
    again.acks.push_back(mallard::LinkIndex(i));
  }
  std::array<std::byte, wire::frame_head_bytes_max> bytes;
  const std::size_t used = wire::encode_head(again, FrameSections(frame), bytes);
  return used == head.size() && std::memcmp(bytes.data(), head.data(), used) == 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 3 || size > 3 + wire::frame_head_bytes_max + 8) {
    return 0;
  }
  const std::uint32_t body_bytes = bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16;
  const mallard::ByteView head = std::as_bytes(std::span(bytes + 3, size - 3));
  const mallard::PayloadRef body{.slot = body_bytes == 0 ? 0U : 1U, .bytes = body_bytes};
  const auto frame = wire::decode_head(head, body);
  if (frame && !encodes_to(*frame, head)) {
    std::abort();
  }
  if (bytes[size / 2] % 64 == size % 64) {
    const auto twin = wire::reference_decode({bytes + 3, bytes + size}, body_bytes);
    if (frame.has_value() != twin.has_value() || (frame && wire::fields_of(*frame) != *twin)) {
      std::abort();
    }
  }
  return 0;
}
