// S10: tells of QUACKs that never were, or hides those that were, each receiver something else.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class FalseHint final : public Strategy {
 public:
  FalseHint() : Strategy(Mark::puppet_false_hint) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (sends_across(puppet, out)) {
      const std::uint64_t batch = out.frame.batch.header.batch.value;
      out.frame.batch.quacked = BatchNumber(puppet.draw(2) == 0 ? batch : batch - puppet.draw(8));
      puppet.had_effect();
    }
    for (bridge::PositionSection& position : out.frame.positions) {
      position.quacked.value = puppet.draw(3) == 0 ? 0 : position.quacked.value + puppet.draw(500);
      position.committed.value += puppet.draw(2) * 1'000'000'000;
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_false_hint(Choices& /*choices*/) { return std::make_unique<FalseHint>(); }

}  // namespace mallard::sim
