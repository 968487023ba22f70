// One replica's part in a strategy. All strategies stand behind this interface, Picsou's real core too.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "config/base/time.h"
#include "tests/sim/lab/parcel.h"
#include "tests/sim/lab/run_shape.h"

namespace mallard::lab {

// What a participant did in one step. The laboratory carries it out when the processor is done with the step.
class Turn {
 public:
  Turn(ParcelPool& parcels, NodeId self) : self_(self), parcels_(parcels) {}

  void begin(Instant now) {
    now_ = now;
    sent_.clear();
    delivered_.clear();
    quacked_ = 0;
    closed_.clear();
  }
  [[nodiscard]] Instant now() const { return now_; }

  // A parcel of this replica's; the participant fills in the rest. Valid until the next call.
  Parcel& send(NodeId to) {
    sent_.push_back(parcels_.take());
    Parcel& parcel = parcels_[sent_.back()];
    parcel.from = self_;
    parcel.to = to;
    return parcel;
  }
  // This replica of the destination has the batch, and knows it to be right. Saying so twice is no harm.
  void deliver(std::uint64_t batch) { delivered_.push_back(batch); }
  // This replica of the source knows that everything up to this batch is at a correct one of the destination.
  void quack(std::uint64_t through) { quacked_ = through; }
  // The channel to this replica is given up for its misbehaviour.
  void close(NodeId peer) { closed_.push_back(peer); }

  [[nodiscard]] std::vector<std::uint32_t>& sent() { return sent_; }
  [[nodiscard]] const std::vector<std::uint64_t>& delivered() const { return delivered_; }
  [[nodiscard]] std::uint64_t quacked() const { return quacked_; }
  [[nodiscard]] const std::vector<NodeId>& closed() const { return closed_; }

 private:
  NodeId self_;
  ParcelPool& parcels_;
  Instant now_;
  std::vector<std::uint32_t> sent_;
  std::vector<std::uint64_t> delivered_;
  std::uint64_t quacked_ = 0;
  std::vector<NodeId> closed_;
};

// What the laboratory tells strategies that have no flow control of their own, at no cost and without delay:
// better than any they could have.
struct Flow {
  std::uint64_t admit_up_to = 0;  // everything up to here fits the window
};

class Participant {
 public:
  virtual ~Participant() = default;

  // All channels are open.
  virtual void start(Turn& turn) = 0;
  // The batch of its own log that it would take now; 0: none. The log always has more.
  [[nodiscard]] virtual std::uint64_t next_batch() const = 0;
  virtual void commit(std::uint64_t batch, Turn& turn) = 0;
  virtual void receive(const Parcel& parcel, Turn& turn) = 0;
  virtual void channel_down(NodeId peer, Turn& turn) = 0;
  [[nodiscard]] virtual Instant next_deadline() const = 0;
  virtual void on_deadline(Turn& turn) = 0;
};

struct ParticipantSettings {
  const RunShape& shape;
  NodeId self = 0;
  std::uint64_t window_batches = 0;
  Duration rto_min;
  const Flow& flow;
};

[[nodiscard]] std::unique_ptr<Participant> make_participant(const ParticipantSettings& settings);
// One function for each strategy, used by the one above.
[[nodiscard]] std::unique_ptr<Participant> make_picsou(const ParticipantSettings& settings);
[[nodiscard]] std::unique_ptr<Participant> make_all_to_all(const ParticipantSettings& settings);
[[nodiscard]] std::unique_ptr<Participant> make_one_shot(const ParticipantSettings& settings);
[[nodiscard]] std::unique_ptr<Participant> make_leader_to_leader(const ParticipantSettings& settings);
[[nodiscard]] std::unique_ptr<Participant> make_leader_to_quorum(const ParticipantSettings& settings);

}  // namespace mallard::lab
