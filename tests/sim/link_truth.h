// What one link really carries: the batches that the source cluster decides, in order, with contents that
// follow from the link and the batch's number. Everything that a replica claims about the link is judged
// against this.
//
// Batches are addressed by index here: index i is batch base + i, so that flat arrays work whatever number a
// link starts at. Index 0 is the state before the first batch.
#pragma once

#include <cstdint>
#include <vector>

#include "bridge/core/frame.h"
#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/prng.h"
#include "tests/sim/event_heap.h"

namespace mallard::sim {

using BatchIndex = std::uint32_t;

struct LinkShape {
  LinkIndex link;
  std::uint16_t from = 0;  // cluster
  std::uint16_t to = 0;
  bridge::LinkContext context;
  Fence fence;
  std::uint64_t base_batch = 0;
  std::uint64_t base_message = 0;
  BatchIndex batches = 0;          // how many will be decided in all
  std::uint32_t messages_max = 1;  // messages in a batch: 1 to this
  std::uint32_t bytes_max = 64;    // bytes in a message: 0 to this
  std::uint32_t proof_bytes = 0;
  std::uint64_t salt = 0;
  std::uint32_t window_messages = 64;
  std::uint64_t window_bytes = 1U << 20;
  Nanos commit_interval = millisecond;  // mean
};

class LinkTruth {
 public:
  explicit LinkTruth(const LinkShape& shape);

  [[nodiscard]] const LinkShape& shape() const { return shape_; }
  // How many batches the source cluster has decided so far.
  [[nodiscard]] BatchIndex decided() const { return decided_; }
  [[nodiscard]] bool complete() const { return decided_ == shape_.batches; }
  void decide_next() { ++decided_; }

  [[nodiscard]] BatchNumber number(BatchIndex index) const { return BatchNumber(shape_.base_batch + index); }
  [[nodiscard]] MessageNumber last_message(BatchIndex index) const {
    return MessageNumber(shape_.base_message + messages_through_[index]);
  }
  // The index of a batch number; numbers below the base give 0, numbers beyond the last batch of all give
  // batches + 1.
  [[nodiscard]] BatchIndex index_of(BatchNumber batch) const;
  [[nodiscard]] bridge::BatchHeader header(BatchIndex index) const;
  // Messages of the batches (from, to].
  [[nodiscard]] std::uint64_t messages_between(BatchIndex from, BatchIndex to) const {
    return messages_through_[to] - messages_through_[from];
  }
  // Bytes of the batches (from, to], proofs included.
  [[nodiscard]] std::uint64_t bytes_between(BatchIndex from, BatchIndex to) const {
    return bytes_through_[to] - bytes_through_[from];
  }
  [[nodiscard]] std::uint32_t bytes(BatchIndex index) const {
    return static_cast<std::uint32_t>(bytes_through_[index] - bytes_through_[index - 1]);
  }
  // Writes the batch into `out`, which is bytes(index) long.
  void write(BatchIndex index, ByteSpan out) const;
  // Is this header with these bytes a batch that the source cluster has decided?
  [[nodiscard]] bool is_true(const bridge::BatchHeader& header, ByteView payload,
                             std::uint16_t proof_bytes) const;

 private:
  // Draws that belong to one batch.
  [[nodiscard]] Prng draws_of(BatchIndex index) const { return Prng(shape_.salt).child("batch", index); }

  LinkShape shape_;
  BatchIndex decided_ = 0;
  std::vector<std::uint64_t> messages_through_;  // by index, from 0
  std::vector<std::uint64_t> bytes_through_;
  mutable std::vector<std::uint64_t> digests_;  // of the whole payload; 0: not computed yet
};

// A 64-bit digest for comparing payloads; not cryptographic.
std::uint64_t digest_of(ByteView bytes);

}  // namespace mallard::sim
