// Any bytes as what comes through the door: the assembler never takes more than it is allowed, what decodes
// encodes to the same bytes again, and every slot comes back. The first byte says how the stream is cut.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "config/base/payload_pool.h"
#include "transport/door/door_assembler.h"
#include "transport/door/door_codec.h"

namespace {

using namespace mallard::transport::door;

void check(mallard::PayloadPool& pool, DoorAssembler& assembler) {
  const mallard::PayloadRef body = assembler.take_body();
  const auto message = decode_message(assembler.head(), body);
  if (message) {
    std::array<std::byte, frame_header_bytes + head_bytes_max> again;
    const std::size_t bytes = encode_head(*message, again);
    const auto head = mallard::ByteView(again).first(bytes).subspan(frame_header_bytes);
    if (!std::equal(head.begin(), head.end(), assembler.head().begin(), assembler.head().end()) ||
        !(body_of(*message) == body)) {
      std::abort();
    }
  }
  pool.release(body);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static mallard::PayloadPool pool(4U << 20);
  if (size == 0) {
    return 0;
  }
  const std::size_t piece = bytes[0] == 0 ? SIZE_MAX : bytes[0];
  auto stream = std::as_bytes(std::span(bytes + 1, size - 1));
  DoorAssembler assembler(pool);
  assembler.limit_bodies(body_bytes_max);
  auto step = DoorAssembler::Step::hungry;
  while (!stream.empty() && (step == DoorAssembler::Step::hungry || step == DoorAssembler::Step::frame)) {
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
    if (step == DoorAssembler::Step::frame) {
      check(pool, assembler);
    }
  }
  assembler.reset();
  if (pool.free_bytes() != pool.capacity()) {
    std::abort();
  }
  return 0;
}
