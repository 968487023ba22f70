// R3: denies everything after its durable cursor.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class PhiAllMissing final : public Strategy {
 public:
  PhiAllMissing() : Strategy(Mark::puppet_phi_all_missing) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    for (bridge::AckSection& ack : out.frame.acks) {
      if (ack.phi.words() != 0 || ack.prefix != ack.durable) {
        puppet.had_effect();
      }
      ack.prefix = ack.durable;
      ack.phi = {};
    }
  }
};

}  // namespace

StrategyPointer make_phi_all_missing(Choices& /*choices*/) { return std::make_unique<PhiAllMissing>(); }

}  // namespace mallard::sim
