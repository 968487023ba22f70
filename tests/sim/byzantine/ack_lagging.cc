// R2: acknowledges what it has, much too late.
#include <algorithm>

#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class AckLagging final : public Strategy {
 public:
  AckLagging() : Strategy(Mark::puppet_ack_lagging) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    for (bridge::AckSection& ack : out.frame.acks) {
      ack.prefix.value -= std::min<std::uint64_t>(ack.prefix.value, 40);
      ack.durable.value -= std::min<std::uint64_t>(ack.durable.value, 40);
      ack.phi = {};
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_ack_lagging(Choices& /*choices*/) { return std::make_unique<AckLagging>(); }

}  // namespace mallard::sim
