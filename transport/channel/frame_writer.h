// Frames become bytes for a peer: two lanes, control first, small frames gathered, large bodies written from
// their slots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/payload_pool.h"
#include "transport/channel/channel_limits.h"
#include "transport/channel/frame_header.h"
#include "transport/channel/lane_queue.h"

namespace mallard::transport {

// All room is allocated at construction.
class FrameWriter {
 public:
  // A body up to this size is copied beside its head, so that many small frames are one write; a larger one
  // is written from where it lies.
  static constexpr std::size_t gathered_body_bytes_max = 8U << 10;
  // What is gathered at most: an insertion's count and the largest frame in it.
  static constexpr std::size_t gather_bytes = 1 + inserted_frame_bytes_max;

  // `pool` outlives the writer.
  FrameWriter(const ChannelLimits& limits, PayloadPool& pool);
  ~FrameWriter();
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  // Copies the head, adds a reference to the body. False when the lane is full. Head and body are within
  // their limits; a control frame above inserted_frame_bytes_max goes with the data.
  [[nodiscard]] bool push(ByteView head, PayloadRef body, Lane lane);

  // The bytes to be written next; empty when there are none. The same bytes at every call until wrote() has
  // covered them, whatever is pushed in between: TLS demands that of a write that is tried again.
  [[nodiscard]] ByteView next();
  void wrote(std::size_t count);

  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t queued_frames() const { return control_.frames() + data_.frames(); }
  [[nodiscard]] std::size_t queued_bytes() const { return control_.bytes() + data_.bytes(); }
  // Frames that were begun to be written since construction, and their bytes.
  [[nodiscard]] std::uint64_t frames_begun() const { return frames_begun_; }
  [[nodiscard]] std::uint64_t bytes_begun() const { return bytes_begun_; }

  // Forgets all frames, also one half written, and gives their bodies back. Yields how many there were.
  std::size_t drop_all();

  [[nodiscard]] static std::uint64_t memory_bytes(const ChannelLimits& limits);

 private:
  void fill();
  void gather_insertion();
  void gather_frames();
  // Moves the oldest frame of `lane` behind what is gathered, with or without its body.
  void gather_front(LaneQueue& lane, bool with_body);
  void begin_piece();
  [[nodiscard]] std::size_t gather_room() const { return gather_.size() - gather_end_; }

  PayloadPool& pool_;
  LaneQueue control_;
  LaneQueue data_;
  std::vector<std::byte> gather_;
  std::size_t gather_begin_ = 0;  // written up to here
  std::size_t gather_end_ = 0;
  PayloadRef body_;  // being written from its slot; bytes 0: none
  std::size_t body_written_ = 0;
  std::size_t piece_end_ = 0;  // of body_, up to where nothing is let in
  std::uint64_t frames_begun_ = 0;
  std::uint64_t bytes_begun_ = 0;
};

}  // namespace mallard::transport
