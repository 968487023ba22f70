// S6: puts old or future epochs and generations on what it sends, and sends real frames again under them.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class StaleContext final : public Strategy {
 public:
  StaleContext() : Strategy(Mark::puppet_stale_context) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (puppet.draw(3) != 0) {
      return;
    }
    if (out.frame.has_batch) {
      spoil(puppet, out.frame.batch.context);
    }
    for (bridge::AckSection& ack : out.frame.acks) {
      spoil(puppet, ack.context);
      ack.prefix.value += 10;
      ack.durable.value += 10;
    }
    for (bridge::PositionSection& position : out.frame.positions) {
      spoil(puppet, position.context);
      position.quacked.value += 10;
    }
  }

 private:
  static void spoil(Puppet& puppet, bridge::LinkContext& context) {
    switch (puppet.draw(3)) {
      case 0:
        --context.generation.value;
        break;
      case 1:
        ++context.source_epoch.value;
        break;
      default:
        --context.destination_epoch.value;
    }
    puppet.had_effect();
  }
};

}  // namespace

StrategyPointer make_stale_context(Choices& /*choices*/) { return std::make_unique<StaleContext>(); }

}  // namespace mallard::sim
