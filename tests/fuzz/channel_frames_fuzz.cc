// Any bytes as what a proved peer sends: the assembler, fed in pieces, finds the same frames and the same
// faults as its twin, and gives every slot back. The first byte says how the stream is cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "config/base/payload_pool.h"
#include "tests/transport/channel/frame_stream.h"
#include "transport/channel/frame_assembler.h"

namespace {

using mallard::transport::FrameAssembler;
using mallard::transport::StreamFrame;

bool same(const StreamFrame& twin, mallard::ByteView head, mallard::ByteView body) {
  return std::equal(twin.head.begin(), twin.head.end(), head.begin(), head.end()) &&
         std::equal(twin.body.begin(), twin.body.end(), body.begin(), body.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static mallard::PayloadPool pool(8U << 20);
  if (size == 0) {
    return 0;
  }
  const std::size_t piece = bytes[0] == 0 ? SIZE_MAX : bytes[0];
  auto stream = std::as_bytes(std::span(bytes + 1, size - 1));
  bool faulty = false;
  const auto twin = mallard::transport::frames_of(stream, &faulty);
  FrameAssembler assembler(pool);
  auto step = FrameAssembler::Step::hungry;
  std::size_t found = 0;
  while (!stream.empty() && (step == FrameAssembler::Step::hungry || step == FrameAssembler::Step::frame)) {
    const auto room = assembler.body_room();
    if (!room.empty() && piece % 2 == 1) {
      const std::size_t count = std::min({stream.size(), room.size(), piece});
      std::copy_n(stream.begin(), count, room.begin());
      stream = stream.subspan(count);
      step = assembler.filled(count);
    } else {
      const auto taken = assembler.take(stream.first(std::min(stream.size(), piece)));
      stream = stream.subspan(taken.bytes);
      step = taken.step;
    }
    if (step == FrameAssembler::Step::frame) {
      const auto body = assembler.take_body();
      if (found == twin.size() || !same(twin[found], assembler.head(), pool.view(body))) {
        std::abort();
      }
      pool.release(body);
      ++found;
    }
  }
  const bool stopped = step == FrameAssembler::Step::malformed || step == FrameAssembler::Step::oversized;
  assembler.reset();
  if (found != twin.size() || stopped != faulty || pool.free_bytes() != pool.capacity()) {
    std::abort();
  }
  return 0;
}
