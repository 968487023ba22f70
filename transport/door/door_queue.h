// What waits to be written to one connection: heads, and references to the bodies behind them. The kernel
// reads the bodies where they lie.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/base/payload_pool.h"
#include "transport/door/door_codec.h"
#include "transport/door/door_limits.h"

namespace mallard::transport::door {

class DoorQueue {
 public:
  // `pool` outlives the queue. Everything is allocated here.
  DoorQueue(const StreamLimits& limits, PayloadPool& pool);
  ~DoorQueue() { clear(); }
  DoorQueue(const DoorQueue&) = delete;
  DoorQueue& operator=(const DoorQueue&) = delete;

  // Takes a reference of its own to the message's body. False, and nothing happens, when only `kept` places
  // are left, or none; or, where some are kept, when bodies above queue_body_bytes wait already.
  [[nodiscard]] bool push(const DoorMessage& message, std::size_t kept);

  // Fills the front of `pieces` with what is to be written next; returns how many. At least one unless the
  // queue is empty.
  [[nodiscard]] std::size_t gather(std::span<iovec> pieces) const;
  // `count` bytes of what was gathered were written.
  void written(std::size_t count);

  void clear();
  [[nodiscard]] static std::uint64_t memory_bytes(const StreamLimits& limits) {
    return limits.queue_frames * sizeof(Frame);
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t frames() const { return size_; }
  // Whether a peer that does not read makes itself felt: more than half of the queue is taken.
  [[nodiscard]] bool is_long() const { return size_ > frames_.size() / 2 || body_bytes_ > body_limit_; }

 private:
  struct Frame {
    std::array<std::byte, frame_header_bytes + head_bytes_max> head{};
    std::size_t head_bytes = 0;
    PayloadRef body;
  };

  [[nodiscard]] const Frame& at(std::size_t position) const {
    return frames_[(first_ + position) % frames_.size()];
  }

  PayloadPool& pool_;
  std::uint64_t body_limit_;
  std::vector<Frame> frames_;  // a ring
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::size_t first_written_ = 0;  // bytes of the first frame that are out
  std::uint64_t body_bytes_ = 0;
};

}  // namespace mallard::transport::door
