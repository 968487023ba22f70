// The frames of one lane that wait to be written, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/payload_ref.h"
#include "transport/channel/channel_limits.h"

namespace mallard::transport {

// Control frames (acknowledgements, pulls, probes) overtake queued data frames, and also a data frame under
// way: they are let in after each 64 KiB of its body. Within a lane frames keep their order.
enum class Lane : std::uint8_t { control, data };

// Heads are copied into a ring of bytes, bodies are references that the caller has retained. All room is
// allocated at construction.
class LaneQueue {
 public:
  explicit LaneQueue(const LaneLimits& limits);

  // False when the frame, or the head, or the body's bytes do not fit any more.
  [[nodiscard]] bool push(ByteView head, PayloadRef body);

  [[nodiscard]] bool empty() const { return frames_ == 0; }
  [[nodiscard]] std::size_t frames() const { return frames_; }
  [[nodiscard]] std::size_t bytes() const { return head_bytes_ + body_bytes_; }

  // Of the oldest frame; the queue must not be empty.
  [[nodiscard]] std::size_t front_head_bytes() const { return entries_[first_].head_bytes; }
  [[nodiscard]] PayloadRef front_body() const { return entries_[first_].body; }
  // `out` has exactly front_head_bytes().
  void copy_front_head(ByteSpan out) const;
  void pop();

  // Bytes of process memory that a queue of these limits holds.
  [[nodiscard]] static std::uint64_t memory_bytes(const LaneLimits& limits);

 private:
  struct Entry {
    PayloadRef body;
    std::uint32_t head_bytes = 0;
  };

  LaneLimits limits_;
  std::vector<Entry> entries_;    // ring
  std::vector<std::byte> heads_;  // ring; a head may wrap
  std::size_t first_ = 0;         // of entries_
  std::size_t frames_ = 0;
  std::size_t heads_first_ = 0;  // of heads_
  std::size_t head_bytes_ = 0;
  std::size_t body_bytes_ = 0;
};

}  // namespace mallard::transport
