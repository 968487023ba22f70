// R11: advertises inside its cluster what it does not have, and never serves a pull.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class FalseHolder final : public Strategy {
 public:
  FalseHolder() : Strategy(Mark::puppet_false_holder) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (puppet.cross(out.to)) {
      return;
    }
    if (shares(puppet, out)) {
      out.drop = true;
    }
    for (bridge::AckSection& ack : out.frame.acks) {
      ack.prefix.value += puppet.draw(50);
      ack.phi = {};
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_false_holder(Choices& /*choices*/) { return std::make_unique<FalseHolder>(); }

}  // namespace mallard::sim
