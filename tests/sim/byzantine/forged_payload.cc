// S3, S4: sends other bytes than were decided, to some receivers or to all, under a number that is due. The
// proof is its own invention.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class ForgedPayload final : public Strategy {
 public:
  ForgedPayload() : Strategy(Mark::puppet_forged_payload) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (sends_across(puppet, out) && puppet.draw(2) == 1) {
      out.body[puppet.draw(out.body.size())] ^= std::byte{1};
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_forged_payload(Choices& /*choices*/) { return std::make_unique<ForgedPayload>(); }

}  // namespace mallard::sim
