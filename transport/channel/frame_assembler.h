// Bytes from a peer become frames: heads into a buffer of its own, bodies straight into slots of the pool.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/base/bytes.h"
#include "config/base/payload_pool.h"
#include "transport/channel/frame_header.h"

namespace mallard::transport {

// Works on any bytes whatsoever. After malformed or oversized the stream is lost: reset() is all that may
// follow.
class FrameAssembler {
 public:
  enum class Step : std::uint8_t {
    hungry,   // all bytes were taken; more are needed
    frame,    // head() and take_body() give it; the next call goes on with the next one
    no_slot,  // the pool has no slot for the body: call again, with the bytes that were not taken, when it
              // has
    malformed,
    oversized,
  };
  struct Taken {
    Step step = Step::hungry;
    std::size_t bytes = 0;  // of those offered
  };

  // `pool` outlives the assembler. Nothing is allocated but slots.
  explicit FrameAssembler(PayloadPool& pool) : pool_(pool) {}
  ~FrameAssembler() { reset(); }
  FrameAssembler(const FrameAssembler&) = delete;
  FrameAssembler& operator=(const FrameAssembler&) = delete;

  // Takes bytes from the front, at most to the end of one frame.
  [[nodiscard]] Taken take(ByteView bytes);

  // Where the next bytes of a body go, so that they can be read into place: to the end of the body or of its
  // 64 KiB piece. Empty when something else comes next.
  [[nodiscard]] ByteSpan body_room();
  // `count` bytes, at least 1 and at most its size, were put into the last body_room(). Yields hungry or
  // frame.
  [[nodiscard]] Step filled(std::size_t count);

  // After Step::frame, until the next call of take(), body_room() or filled().
  [[nodiscard]] ByteView head() const;
  // The caller gets the reference, once.
  [[nodiscard]] PayloadRef take_body();

  // True between frames: nothing of a next one has been taken.
  [[nodiscard]] bool between_frames() const;
  // Forgets everything and gives the slots back.
  void reset();

 private:
  enum class Stage : std::uint8_t { header, head, slot, body, insertion, complete };

  struct Partial {
    Stage stage = Stage::header;
    std::size_t got = 0;  // bytes of this stage
    FrameHeader header;
    PayloadRef body;
    std::array<std::byte, frame_header_bytes + frame_head_bytes_max> start{};  // header and head

    void clear() {
      stage = Stage::header;
      got = 0;
      header = {};
      body = {};
    }
  };

  [[nodiscard]] bool inserting() const { return insertions_left_ > 0; }
  Partial& current() { return inserting() ? inserted_ : outer_; }
  void begin_next();
  Step advance(Partial& partial, ByteView& bytes);
  Step decode_start(Partial& partial);

  PayloadPool& pool_;
  Partial outer_;
  Partial inserted_;  // a frame inside an insertion of outer_
  std::size_t insertions_left_ = 0;
};

}  // namespace mallard::transport
