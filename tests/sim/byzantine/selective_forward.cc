// R8: shares what it gets with one peer only.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class SelectiveForward final : public Strategy {
 public:
  explicit SelectiveForward(Choices& choices)
      : Strategy(Mark::puppet_selective_forward), favourite_(choices.draw(Stream::byzantine, 3)) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (shares(puppet, out) && out.to.address.replica.value % 3 != favourite_) {
      out.drop = true;
      puppet.had_effect();
    }
  }

 private:
  std::uint64_t favourite_;
};

}  // namespace

StrategyPointer make_selective_forward(Choices& choices) {
  return std::make_unique<SelectiveForward>(choices);
}

}  // namespace mallard::sim
