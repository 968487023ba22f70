// S7, S11: sends everything to everybody at once, valid as it is, as attempts that nobody opened.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class EarlyResend final : public Strategy {
 public:
  EarlyResend() : Strategy(Mark::puppet_early_resend) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (!sends_across(puppet, out)) {
      return;
    }
    puppet.each_peer([&](Replica& other) {
      if (other.address.cluster != out.to.address.cluster) {
        return;
      }
      bridge::Frame again = puppet.blank(other);
      again.has_batch = true;
      again.batch = out.frame.batch;
      again.batch.attempt = static_cast<std::uint8_t>(puppet.draw(3));
      puppet.emit(other, again, out.body);
      puppet.had_effect();
    });
  }
};

}  // namespace

StrategyPointer make_early_resend(Choices& /*choices*/) { return std::make_unique<EarlyResend>(); }

}  // namespace mallard::sim
