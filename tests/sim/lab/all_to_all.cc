// Every replica of the source sends every batch to every replica of the destination.
#include "tests/sim/lab/participant.h"
#include "tests/sim/lab/plain_participant.h"

namespace mallard::lab {

namespace {

class AllToAll final : public PlainParticipant {
 public:
  using PlainParticipant::PlainParticipant;

  void commit(std::uint64_t batch, Turn& turn) override {
    PlainParticipant::commit(batch, turn);
    for (std::size_t i = 0; i < shape().to; ++i) {
      send_batch(receiver(i), batch, turn);
    }
  }
  void receive(const Parcel& parcel, Turn& turn) override { turn.deliver(parcel.batch); }
};

}  // namespace

std::unique_ptr<Participant> make_all_to_all(const ParticipantSettings& settings) {
  return std::make_unique<AllToAll>(settings);
}

}  // namespace mallard::lab
