#include "transport/channel/frame_assembler.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "config/base/invariant.h"

namespace mallard::transport {

FrameAssembler::Taken FrameAssembler::take(ByteView bytes) {
  const std::size_t offered = bytes.size();
  begin_next();
  Step step = Step::hungry;
  while (step == Step::hungry) {
    Partial& partial = current();
    if (bytes.empty() && partial.stage != Stage::slot) {
      break;
    }
    step = advance(partial, bytes);
  }
  return {.step = step, .bytes = offered - bytes.size()};
}

// One stage of `partial`, as far as `bytes` go; takes what it used off their front.
FrameAssembler::Step FrameAssembler::advance(Partial& partial, ByteView& bytes) {
  switch (partial.stage) {
    case Stage::header:
    case Stage::head: {
      const std::size_t wanted =
          frame_header_bytes + (partial.stage == Stage::head ? partial.header.head_bytes : 0U);
      const std::size_t count = std::min(bytes.size(), wanted - partial.got);
      std::memcpy(partial.start.data() + partial.got, bytes.data(), count);
      partial.got += count;
      bytes = bytes.subspan(count);
      return partial.got == wanted ? decode_start(partial) : Step::hungry;
    }
    case Stage::slot: {
      const auto slot = pool_.allocate(partial.header.body_bytes);
      if (!slot) {
        return Step::no_slot;
      }
      partial.body = *slot;
      partial.got = 0;
      partial.stage = Stage::body;
      return Step::hungry;
    }
    case Stage::body: {
      const ByteSpan room = body_room();
      const std::size_t count = std::min(bytes.size(), room.size());
      std::memcpy(room.data(), bytes.data(), count);
      bytes = bytes.subspan(count);
      return filled(count);
    }
    case Stage::insertion:
      insertions_left_ = std::to_integer<std::size_t>(bytes.front());
      bytes = bytes.subspan(1);
      partial.stage = Stage::body;
      return Step::hungry;
    case Stage::complete:
      break;
  }
  return Step::frame;
}

// The header, or the header and the head, are there.
FrameAssembler::Step FrameAssembler::decode_start(Partial& partial) {
  if (partial.stage == Stage::header) {
    const auto header = decode_frame_header(ByteView(partial.start).first(frame_header_bytes));
    if (!header) {
      return header.error() == FrameHeaderError::oversized ? Step::oversized : Step::malformed;
    }
    if (inserting() && header->frame_bytes() > inserted_frame_bytes_max) {
      return Step::oversized;
    }
    partial.header = *header;
    partial.stage = Stage::head;
    return Step::hungry;
  }
  if (partial.header.body_bytes == 0) {
    partial.stage = Stage::complete;
    return Step::frame;
  }
  partial.stage = Stage::slot;
  return Step::hungry;
}

ByteSpan FrameAssembler::body_room() {
  begin_next();
  const Partial& partial = current();
  if (partial.stage != Stage::body) {
    return {};
  }
  const std::size_t piece_end = (partial.got / body_piece_bytes + 1) * body_piece_bytes;
  const std::size_t end = std::min(piece_end, std::size_t{partial.header.body_bytes});
  return pool_.span(partial.body).subspan(partial.got, end - partial.got);
}

FrameAssembler::Step FrameAssembler::filled(std::size_t count) {
  Partial& partial = current();
  MALLARD_INVARIANT(partial.stage == Stage::body && count > 0);
  partial.got += count;
  MALLARD_INVARIANT(partial.got <= partial.header.body_bytes);
  if (partial.got == partial.header.body_bytes) {
    partial.stage = Stage::complete;
    return Step::frame;
  }
  if (partial.got % body_piece_bytes == 0) {
    partial.stage = Stage::insertion;
  }
  return Step::hungry;
}

void FrameAssembler::begin_next() {
  Partial& partial = current();
  if (partial.stage != Stage::complete) {
    return;
  }
  pool_.release(partial.body);
  partial.clear();
  if (inserting()) {
    --insertions_left_;
  }
}

ByteView FrameAssembler::head() const {
  const Partial& partial = inserting() ? inserted_ : outer_;
  MALLARD_INVARIANT(partial.stage == Stage::complete);
  return ByteView(partial.start).subspan(frame_header_bytes, partial.header.head_bytes);
}

PayloadRef FrameAssembler::take_body() {
  Partial& partial = current();
  MALLARD_INVARIANT(partial.stage == Stage::complete);
  return std::exchange(partial.body, PayloadRef{});
}

bool FrameAssembler::between_frames() const {
  return !inserting() &&
         (outer_.stage == Stage::complete || (outer_.stage == Stage::header && outer_.got == 0));
}

void FrameAssembler::reset() {
  pool_.release(outer_.body);
  pool_.release(inserted_.body);
  outer_.clear();
  inserted_.clear();
  insertions_left_ = 0;
}

}  // namespace mallard::transport
