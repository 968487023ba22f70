#include "transport/channel/lane_queue.h"

#include <algorithm>
#include <cstring>

#include "config/base/invariant.h"

namespace mallard::transport {

LaneQueue::LaneQueue(const LaneLimits& limits)
    : limits_(limits), entries_(limits.frames), heads_(limits.head_bytes) {
  MALLARD_INVARIANT(limits.frames > 0 && limits.head_bytes >= frame_head_bytes_max);
}

std::uint64_t LaneQueue::memory_bytes(const LaneLimits& limits) {
  return std::uint64_t{limits.frames} * sizeof(Entry) + limits.head_bytes;
}

bool LaneQueue::push(ByteView head, PayloadRef body) {
  // A body larger than the lane still passes alone, so that no limit can block a link for ever.
  const bool bodies_full = body_bytes_ > 0 && body_bytes_ + body.bytes > limits_.body_bytes;
  if (frames_ == entries_.size() || head_bytes_ + head.size() > heads_.size() || bodies_full) {
    return false;
  }
  const std::size_t at = (heads_first_ + head_bytes_) % heads_.size();
  const std::size_t until_wrap = std::min(head.size(), heads_.size() - at);
  std::memcpy(heads_.data() + at, head.data(), until_wrap);
  std::memcpy(heads_.data(), head.data() + until_wrap, head.size() - until_wrap);
  entries_[(first_ + frames_) % entries_.size()] = {.body = body,
                                                    .head_bytes = static_cast<std::uint32_t>(head.size())};
  ++frames_;
  head_bytes_ += head.size();
  body_bytes_ += body.bytes;
  return true;
}

void LaneQueue::copy_front_head(ByteSpan out) const {
  MALLARD_INVARIANT(frames_ > 0 && out.size() == front_head_bytes());
  const std::size_t until_wrap = std::min(out.size(), heads_.size() - heads_first_);
  std::memcpy(out.data(), heads_.data() + heads_first_, until_wrap);
  std::memcpy(out.data() + until_wrap, heads_.data(), out.size() - until_wrap);
}

void LaneQueue::pop() {
  MALLARD_INVARIANT(frames_ > 0);
  const Entry& entry = entries_[first_];
  heads_first_ = (heads_first_ + entry.head_bytes) % heads_.size();
  head_bytes_ -= entry.head_bytes;
  body_bytes_ -= entry.body.bytes;
  first_ = (first_ + 1) % entries_.size();
  --frames_;
}

}  // namespace mallard::transport
