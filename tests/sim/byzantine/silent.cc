// R12, S1: keeps its channels open and says nothing.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class Silent final : public Strategy {
 public:
  Silent() : Strategy(Mark::puppet_silent) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    out.drop = true;
    puppet.had_effect();
  }
};

}  // namespace

StrategyPointer make_silent(Choices& /*choices*/) { return std::make_unique<Silent>(); }

}  // namespace mallard::sim
