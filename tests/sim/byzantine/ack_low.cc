// R2: acknowledges nothing, ever.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class AckLow final : public Strategy {
 public:
  AckLow() : Strategy(Mark::puppet_ack_low) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    for (bridge::AckSection& ack : out.frame.acks) {
      ack.prefix = BatchNumber(0);
      ack.durable = BatchNumber(0);
      ack.phi = {};
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_ack_low(Choices& /*choices*/) { return std::make_unique<AckLow>(); }

}  // namespace mallard::sim
