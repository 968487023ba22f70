// R4: acknowledges all the time, each time something else.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class AckStorm final : public Strategy {
 public:
  AckStorm() : Strategy(Mark::puppet_ack_storm) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (out.frame.acks.empty()) {
      return;
    }
    for (std::uint64_t i = 0; i < 4; ++i) {
      bridge::Frame again = puppet.blank(out.to);
      again.wants_ack = puppet.draw(2) == 1;
      again.acks = out.frame.acks;
      for (std::size_t section = 0; section < again.acks.size(); ++section) {
        again.acks[section].prefix.value += puppet.draw(3);
        again.acks[section].phi = puppet.phi(section, {puppet.draw(1024) << 1});
      }
      puppet.emit(out.to, again, {});
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_ack_storm(Choices& /*choices*/) { return std::make_unique<AckStorm>(); }

}  // namespace mallard::sim
