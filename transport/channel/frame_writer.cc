#include "transport/channel/frame_writer.h"

#include <algorithm>
#include <cstring>

#include "config/base/invariant.h"

namespace mallard::transport {
namespace {

constexpr std::size_t insertion_frames_max = 255;  // its count is one byte

std::size_t frame_bytes(std::size_t head_bytes, PayloadRef body) {
  return frame_header_bytes + head_bytes + body.bytes;
}

}  // namespace

FrameWriter::FrameWriter(const ChannelLimits& limits, PayloadPool& pool)
    : pool_(pool), control_(limits.control), data_(limits.data), gather_(gather_bytes) {}

FrameWriter::~FrameWriter() {
  // A writer without frames does not touch the pool, which may be gone by now.
  if (!empty()) {
    drop_all();
  }
}

std::uint64_t FrameWriter::memory_bytes(const ChannelLimits& limits) {
  return LaneQueue::memory_bytes(limits.control) + LaneQueue::memory_bytes(limits.data) + gather_bytes;
}

bool FrameWriter::push(ByteView head, PayloadRef body, Lane lane) {
  MALLARD_INVARIANT(!head.empty() && head.size() <= frame_head_bytes_max);
  MALLARD_INVARIANT(body.bytes <= frame_body_bytes_max);
  const bool overtakes = lane == Lane::control && frame_bytes(head.size(), body) <= inserted_frame_bytes_max;
  LaneQueue& queue = overtakes ? control_ : data_;
  if (!queue.push(head, body)) {
    return false;
  }
  pool_.retain(body);
  return true;
}

ByteView FrameWriter::next() {
  if (gather_begin_ == gather_end_ && body_written_ == piece_end_) {
    fill();
  }
  if (gather_begin_ < gather_end_) {
    return ByteView(gather_).subspan(gather_begin_, gather_end_ - gather_begin_);
  }
  return pool_.view(body_).subspan(body_written_, piece_end_ - body_written_);
}

void FrameWriter::wrote(std::size_t count) {
  if (gather_begin_ < gather_end_) {
    gather_begin_ += count;
    MALLARD_INVARIANT(gather_begin_ <= gather_end_);
    return;
  }
  body_written_ += count;
  MALLARD_INVARIANT(body_written_ <= piece_end_);
  if (body_.bytes > 0 && body_written_ == body_.bytes) {
    pool_.release(body_);
    body_ = {};
    body_written_ = 0;
    piece_end_ = 0;
  }
}

bool FrameWriter::empty() const {
  return gather_begin_ == gather_end_ && body_.bytes == 0 && control_.empty() && data_.empty();
}

std::size_t FrameWriter::drop_all() {
  std::size_t dropped = queued_frames();
  if (gather_begin_ < gather_end_ || body_.bytes > 0) {
    ++dropped;
  }
  pool_.release(body_);
  body_ = {};
  body_written_ = piece_end_ = 0;
  gather_begin_ = gather_end_ = 0;
  for (LaneQueue* lane : {&control_, &data_}) {
    while (!lane->empty()) {
      pool_.release(lane->front_body());
      lane->pop();
    }
  }
  return dropped;
}

void FrameWriter::fill() {
  gather_begin_ = gather_end_ = 0;
  if (body_.bytes > 0) {
    gather_insertion();
    begin_piece();
  } else {
    gather_frames();
  }
}

void FrameWriter::gather_insertion() {
  std::size_t inserted = 0;
  gather_end_ = 1;
  while (!control_.empty() && inserted < insertion_frames_max &&
         frame_bytes(control_.front_head_bytes(), control_.front_body()) <= gather_room()) {
    gather_front(control_, true);
    ++inserted;
  }
  gather_[0] = static_cast<std::byte>(inserted);
}

void FrameWriter::gather_frames() {
  while (!control_.empty() || !data_.empty()) {
    LaneQueue& lane = control_.empty() ? data_ : control_;
    const PayloadRef body = lane.front_body();
    const bool with_body = body.bytes <= gathered_body_bytes_max;
    if (frame_bytes(lane.front_head_bytes(), with_body ? body : PayloadRef{}) > gather_room()) {
      return;
    }
    gather_front(lane, with_body);
    if (!with_body) {
      body_ = body;
      begin_piece();
      return;
    }
  }
}

void FrameWriter::gather_front(LaneQueue& lane, bool with_body) {
  const PayloadRef body = lane.front_body();
  const std::size_t head_bytes = lane.front_head_bytes();
  ByteWriter out(ByteSpan(gather_).subspan(gather_end_));
  encode_frame_header({.head_bytes = static_cast<std::uint16_t>(head_bytes), .body_bytes = body.bytes}, out);
  gather_end_ += out.used();
  lane.copy_front_head(ByteSpan(gather_).subspan(gather_end_, head_bytes));
  gather_end_ += head_bytes;
  if (with_body && body.bytes > 0) {
    std::memcpy(gather_.data() + gather_end_, pool_.view(body).data(), body.bytes);
    gather_end_ += body.bytes;
    pool_.release(body);
  }
  lane.pop();
  ++frames_begun_;
  bytes_begun_ += frame_bytes(head_bytes, body);
}

void FrameWriter::begin_piece() {
  piece_end_ = std::min(body_written_ + body_piece_bytes, std::size_t{body_.bytes});
}

}  // namespace mallard::transport
