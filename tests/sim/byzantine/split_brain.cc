// R6: tells each sender something else about what it has.
#include <algorithm>

#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class SplitBrain final : public Strategy {
 public:
  SplitBrain() : Strategy(Mark::puppet_split_brain) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    for (bridge::AckSection& ack : out.frame.acks) {
      const std::uint64_t side = out.to.id % 3;
      if (side == 0) {
        ack.durable = ack.prefix = BatchNumber(ack.prefix.value + 1 + puppet.draw(20));
      } else if (side == 1) {
        ack.durable = ack.prefix =
            BatchNumber(ack.durable.value - std::min<std::uint64_t>(ack.durable.value, 5));
      }
      if (side != 2) {
        ack.phi = {};
        puppet.had_effect();
      }
    }
  }
};

}  // namespace

StrategyPointer make_split_brain(Choices& /*choices*/) { return std::make_unique<SplitBrain>(); }

}  // namespace mallard::sim
