#include "transport/door/door_assembler.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "config/base/invariant.h"

namespace mallard::transport::door {

DoorAssembler::Taken DoorAssembler::take(ByteView bytes) {
  const std::size_t offered = bytes.size();
  begin_next();
  Step step = Step::hungry;
  while (step == Step::hungry && (!bytes.empty() || stage_ == Stage::slot)) {
    step = advance(bytes);
  }
  return {.step = step, .bytes = offered - bytes.size()};
}

// One stage, as far as `bytes` go; takes what it used off their front.
DoorAssembler::Step DoorAssembler::advance(ByteView& bytes) {
  switch (stage_) {
    case Stage::header:
    case Stage::head: {
      const std::size_t wanted = frame_header_bytes + (stage_ == Stage::head ? lengths_.head_bytes : 0U);
      const std::size_t count = std::min(bytes.size(), wanted - got_);
      std::memcpy(start_.data() + got_, bytes.data(), count);
      got_ += count;
      bytes = bytes.subspan(count);
      return got_ == wanted ? decode_start() : Step::hungry;
    }
    case Stage::slot: {
      if (budget_ != nullptr && !budget_->take(lengths_.body_bytes)) {
        return Step::no_slot;
      }
      const auto slot = pool_.allocate(lengths_.body_bytes);
      if (!slot) {
        if (budget_ != nullptr) {
          budget_->give_back(lengths_.body_bytes);
        }
        return Step::no_slot;
      }
      body_ = *slot;
      got_ = 0;
      stage_ = Stage::body;
      return Step::hungry;
    }
    case Stage::body: {
      const ByteSpan room = body_room();
      const std::size_t count = std::min(bytes.size(), room.size());
      std::memcpy(room.data(), bytes.data(), count);
      bytes = bytes.subspan(count);
      return filled(count);
    }
    case Stage::complete:
      break;
  }
  return Step::frame;
}

// The header, or the header and the head, are there.
DoorAssembler::Step DoorAssembler::decode_start() {
  if (stage_ == Stage::header) {
    const auto lengths = decode_frame_header(ByteView(start_).first(frame_header_bytes));
    if (!lengths || lengths->body_bytes > body_limit_) {
      return Step::malformed;
    }
    lengths_ = *lengths;
    stage_ = Stage::head;
    return Step::hungry;
  }
  if (lengths_.body_bytes == 0) {
    stage_ = Stage::complete;
    return Step::frame;
  }
  stage_ = Stage::slot;
  return Step::hungry;
}

ByteSpan DoorAssembler::body_room() {
  begin_next();
  return stage_ == Stage::body ? pool_.span(body_).subspan(got_) : ByteSpan{};
}

DoorAssembler::Step DoorAssembler::filled(std::size_t count) {
  MALLARD_INVARIANT(stage_ == Stage::body && count > 0 && count <= body_.bytes - got_);
  got_ += count;
  if (got_ < body_.bytes) {
    return Step::hungry;
  }
  stage_ = Stage::complete;
  return Step::frame;
}

void DoorAssembler::begin_next() {
  if (stage_ == Stage::complete) {
    drop_body();
    stage_ = Stage::header;
    got_ = 0;
  }
}

void DoorAssembler::drop_body() {
  if (budget_ != nullptr) {
    budget_->give_back(body_.bytes);
  }
  pool_.release(std::exchange(body_, PayloadRef{}));
}

ByteView DoorAssembler::head() const {
  MALLARD_INVARIANT(stage_ == Stage::complete);
  return ByteView(start_).subspan(frame_header_bytes, lengths_.head_bytes);
}

PayloadRef DoorAssembler::take_body() {
  MALLARD_INVARIANT(stage_ == Stage::complete);
  return std::exchange(body_, PayloadRef{});
}

bool DoorAssembler::between_frames() const {
  return stage_ == Stage::complete || (stage_ == Stage::header && got_ == 0);
}

void DoorAssembler::reset() {
  drop_body();
  budget_ = nullptr;
  stage_ = Stage::header;
  got_ = 0;
  body_limit_ = 0;
}

}  // namespace mallard::transport::door
