// R9: shares other bytes, or the right bytes under another number.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class PoisonedShare final : public Strategy {
 public:
  PoisonedShare() : Strategy(Mark::puppet_poisoned_share) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (!shares(puppet, out)) {
      return;
    }
    if (puppet.draw(2) == 0) {
      out.body[puppet.draw(out.body.size())] ^= std::byte{0x80};
    } else {
      out.frame.batch.header.batch.value += 1 + puppet.draw(3);
    }
    puppet.had_effect();
  }
};

}  // namespace

StrategyPointer make_poisoned_share(Choices& /*choices*/) { return std::make_unique<PoisonedShare>(); }

}  // namespace mallard::sim
