// The first replica of the source sends each batch to the first replica of the destination, which sends it to
// its peers. Nothing helps where one of the two is faulty.
#include "tests/sim/lab/participant.h"
#include "tests/sim/lab/plain_participant.h"

namespace mallard::lab {

namespace {

class LeaderToLeader final : public PlainParticipant {
 public:
  using PlainParticipant::PlainParticipant;

  void commit(std::uint64_t batch, Turn& turn) override {
    PlainParticipant::commit(batch, turn);
    if (self() == 0) {
      send_batch(receiver(0), batch, turn);
    }
  }
  void receive(const Parcel& parcel, Turn& turn) override {
    turn.deliver(parcel.batch);
    if (self() == receiver(0)) {
      share_batch(parcel.batch, turn);
    }
  }
};

}  // namespace

std::unique_ptr<Participant> make_leader_to_leader(const ParticipantSettings& settings) {
  return std::make_unique<LeaderToLeader>(settings);
}

}  // namespace mallard::lab
