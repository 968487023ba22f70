// S1: does not send what is its turn to send: all of it, every fourth batch, or what certain receivers should
// get.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class OmitSends final : public Strategy {
 public:
  explicit OmitSends(Choices& choices)
      : Strategy(Mark::puppet_omit_sends), kind_(choices.draw(Stream::byzantine, 3)) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (!sends_across(puppet, out)) {
      return;
    }
    const std::uint64_t batch = out.frame.batch.header.batch.value;
    out.drop =
        kind_ == 0 || (kind_ == 1 && batch % 4 == 0) || (kind_ == 2 && out.to.address.replica.value % 2 == 0);
    if (out.drop) {
      puppet.had_effect();
    }
  }

 private:
  std::uint64_t kind_;
};

}  // namespace

StrategyPointer make_omit_sends(Choices& choices) { return std::make_unique<OmitSends>(choices); }

}  // namespace mallard::sim
