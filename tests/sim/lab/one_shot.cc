// Each batch goes from one replica of the source, which take turns, to the one replica of the destination
// that is its sender's own. No broadcast and no acknowledgement: not C3B, the upper bound of what one can be.
#include "tests/sim/lab/participant.h"
#include "tests/sim/lab/plain_participant.h"

namespace mallard::lab {

namespace {

class OneShot final : public PlainParticipant {
 public:
  using PlainParticipant::PlainParticipant;

  void commit(std::uint64_t batch, Turn& turn) override {
    PlainParticipant::commit(batch, turn);
    if (batch % shape().from == self()) {
      send_batch(receiver(self() % shape().to), batch, turn);
    }
  }
  void receive(const Parcel& parcel, Turn& turn) override { turn.deliver(parcel.batch); }
};

}  // namespace

std::unique_ptr<Participant> make_one_shot(const ParticipantSettings& settings) {
  return std::make_unique<OneShot>(settings);
}

}  // namespace mallard::lab
