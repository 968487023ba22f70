// Any bytes as a frame head: the codec agrees with its twin on whether they are one and on what it says, and
// what decodes encodes to the same bytes again. The first three bytes give the length of the body.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tests/bridge/wire/frame_text.h"
#include "tests/bridge/wire/reference_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace mallard::bridge::wire;
  if (size < 3 || size > 3 + frame_head_bytes_max + 8) {
    return 0;
  }
  const std::size_t body_bytes =
      bytes[0] | static_cast<std::size_t>(bytes[1]) << 8 | static_cast<std::size_t>(bytes[2]) << 16;
  const std::vector<std::uint8_t> head(bytes + 3, bytes + size);
  const auto frame = decode_bytes(head, body_bytes);
  const auto twin = reference_decode(head, body_bytes);
  if (frame.has_value() != twin.has_value()) {
    std::abort();
  }
  if (frame && (fields_of(*frame) != *twin || encode_again(*frame) != head)) {
    std::abort();
  }
  return 0;
}
