// Bytes from the door become heads, in a buffer of their own, and bodies, straight in slots of the pool.
#pragma once

#include <array>
#include <cstddef>

#include "config/base/bytes.h"
#include "config/base/payload_pool.h"
#include "transport/door/body_budget.h"
#include "transport/door/door_codec.h"

namespace mallard::transport::door {

// Works on any bytes whatsoever. After malformed the stream is lost: reset() is all that may follow.
class DoorAssembler {
 public:
  enum class Step : std::uint8_t {
    hungry,   // all bytes were taken; more are needed
    frame,    // head() and take_body() give it; the next call goes on with the next one
    no_slot,  // neither pool nor budget has room for the body: call again, with the bytes that were not taken
    malformed,  // lengths beyond their limits
  };
  struct Taken {
    Step step = Step::hungry;
    std::size_t bytes = 0;  // of those offered
  };

  // `pool` outlives the assembler. Nothing is allocated but slots.
  explicit DoorAssembler(PayloadPool& pool) : pool_(pool) {}
  ~DoorAssembler() { reset(); }
  DoorAssembler(const DoorAssembler&) = delete;
  DoorAssembler& operator=(const DoorAssembler&) = delete;

  // Bodies above this are malformed: 0 before the peer has said who it is. At most body_bytes_max.
  void limit_bodies(std::size_t bytes) { body_limit_ = bytes; }

  // Until reset(), bodies count against `budget` from their slot to take_body(). It outlives that.
  void charge(BodyBudget& budget) { budget_ = &budget; }

  // Takes bytes from the front, at most to the end of one frame.
  [[nodiscard]] Taken take(ByteView bytes);

  // The rest of a body that has begun, so that it can be read into place; empty when something else comes.
  [[nodiscard]] ByteSpan body_room();
  // `count` bytes, at least 1, were put to the front of the last body_room(). Yields hungry or frame.
  [[nodiscard]] Step filled(std::size_t count);

  // After Step::frame, until the next call of take() or body_room().
  [[nodiscard]] ByteView head() const;
  // The caller gets the reference, once, and with it what the body takes of a budget.
  [[nodiscard]] PayloadRef take_body();

  // True between frames: nothing of a next one has been taken.
  [[nodiscard]] bool between_frames() const;
  // Forgets everything, the limit too, and gives the slot back.
  void reset();

 private:
  enum class Stage : std::uint8_t { header, head, slot, body, complete };

  void begin_next();
  void drop_body();
  Step advance(ByteView& bytes);
  Step decode_start();

  PayloadPool& pool_;
  BodyBudget* budget_ = nullptr;
  std::size_t body_limit_ = 0;
  Stage stage_ = Stage::header;
  std::size_t got_ = 0;  // bytes of header and head, or of the body
  FrameLengths lengths_;
  PayloadRef body_;
  std::array<std::byte, frame_header_bytes + head_bytes_max> start_{};
};

}  // namespace mallard::transport::door
