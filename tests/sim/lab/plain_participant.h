// What the strategies without a codec share: the log, the addresses, frames of one size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/sim/lab/participant.h"

namespace mallard::lab {

class PlainParticipant : public Participant {
 public:
  explicit PlainParticipant(const ParticipantSettings& settings)
      : shape_(settings.shape),
        self_(settings.self),
        flow_(settings.flow),
        closed_(settings.shape.from + settings.shape.to) {
    mute_ = shape_.byzantine == Byzantine::silent &&
            (in_source() ? shape_.source_misbehaves(replica()) : shape_.destination_misbehaves(replica()));
  }

  void start(Turn& /*turn*/) override {}
  [[nodiscard]] std::uint64_t next_batch() const override {
    return in_source() && taken_ < flow_.admit_up_to ? taken_ + 1 : 0;
  }
  void commit(std::uint64_t batch, Turn& /*turn*/) override { taken_ = batch; }
  void channel_down(NodeId peer, Turn& /*turn*/) override { closed_[peer] = true; }
  [[nodiscard]] Instant next_deadline() const override { return Instant::never(); }
  void on_deadline(Turn& /*turn*/) override {}

 protected:
  [[nodiscard]] const RunShape& shape() const { return shape_; }
  [[nodiscard]] NodeId self() const { return self_; }
  [[nodiscard]] bool in_source() const { return self_ < shape_.from; }
  // Position in its own cluster.
  [[nodiscard]] std::size_t replica() const { return in_source() ? self_ : self_ - shape_.from; }
  [[nodiscard]] NodeId receiver(std::size_t replica) const {
    return static_cast<NodeId>(shape_.from + replica);
  }
  // Last batch taken from the log.
  [[nodiscard]] std::uint64_t taken() const { return taken_; }
  // Goes on from the batch after this one: a leader that is new sends what may have been lost.
  void take_again_after(std::uint64_t batch) { taken_ = batch; }

  Parcel* send_batch(NodeId to, std::uint64_t batch, Turn& turn) const {
    if (closed_[to] || mute_) {
      return nullptr;
    }
    Parcel& parcel = turn.send(to);
    parcel.batch = batch;
    parcel.payload = shape_.batch_payload();
    parcel.head_bytes = batch_head_bytes;
    return &parcel;
  }
  Parcel* send_control(NodeId to, Turn& turn) const {
    if (closed_[to] || mute_) {
      return nullptr;
    }
    Parcel& parcel = turn.send(to);
    parcel.control = true;
    parcel.head_bytes = control_head_bytes;
    return &parcel;
  }
  // To all peers of the destination, from the next one round, so that they do not all begin with the same.
  void share_batch(std::uint64_t batch, Turn& turn) const {
    for (std::size_t step = 1; step < shape_.to; ++step) {
      send_batch(receiver((replica() + step) % shape_.to), batch, turn);
    }
  }

 private:
  const RunShape& shape_;
  NodeId self_;
  const Flow& flow_;
  std::vector<bool> closed_;
  bool mute_ = false;
  std::uint64_t taken_ = 0;
};

}  // namespace mallard::lab
