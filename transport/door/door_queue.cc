#include "transport/door/door_queue.h"

#include "config/base/invariant.h"

namespace mallard::transport::door {

DoorQueue::DoorQueue(const StreamLimits& limits, PayloadPool& pool)
    : pool_(pool), body_limit_(limits.queue_body_bytes), frames_(limits.queue_frames) {}

bool DoorQueue::push(const DoorMessage& message, std::size_t kept) {
  const PayloadRef body = body_of(message);
  if (size_ + kept >= frames_.size() || (kept > 0 && body.bytes > 0 && body_bytes_ > body_limit_)) {
    return false;
  }
  Frame& frame = frames_[(first_ + size_) % frames_.size()];
  frame.head_bytes = encode_head(message, frame.head);
  frame.body = body;
  pool_.retain(body);
  body_bytes_ += body.bytes;
  ++size_;
  return true;
}

std::size_t DoorQueue::gather(std::span<iovec> pieces) const {
  std::size_t used = 0;
  std::size_t skip = first_written_;
  const auto add = [&](ByteView bytes) {
    if (skip >= bytes.size()) {
      skip -= bytes.size();
      return;
    }
    const ByteView rest = bytes.subspan(skip);
    skip = 0;
    // iovec is for reading and writing alike; sendmsg() only reads.
    pieces[used++] = {.iov_base = const_cast<std::byte*>(rest.data()), .iov_len = rest.size()};
  };
  for (std::size_t i = 0; i < size_ && used + 2 <= pieces.size(); ++i) {
    const Frame& frame = at(i);
    add(ByteView(frame.head).first(frame.head_bytes));
    add(pool_.view(frame.body));
  }
  return used;
}

void DoorQueue::written(std::size_t count) {
  first_written_ += count;
  while (size_ > 0) {
    const Frame& frame = at(0);
    const std::size_t bytes = frame.head_bytes + frame.body.bytes;
    if (first_written_ < bytes) {
      return;
    }
    first_written_ -= bytes;
    body_bytes_ -= frame.body.bytes;
    pool_.release(frame.body);
    first_ = (first_ + 1) % frames_.size();
    --size_;
  }
  MALLARD_INVARIANT(first_written_ == 0);
}

void DoorQueue::clear() {
  for (std::size_t i = 0; i < size_; ++i) {
    pool_.release(at(i).body);
  }
  size_ = 0;
  first_written_ = 0;
  body_bytes_ = 0;
}

}  // namespace mallard::transport::door
