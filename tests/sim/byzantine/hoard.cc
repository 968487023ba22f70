// R7: takes batches and shares them with nobody, neither when they come nor when it is asked.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class Hoard final : public Strategy {
 public:
  Hoard() : Strategy(Mark::puppet_hoard) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (shares(puppet, out)) {
      out.drop = true;
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_hoard(Choices& /*choices*/) { return std::make_unique<Hoard>(); }

}  // namespace mallard::sim
