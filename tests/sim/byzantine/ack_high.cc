// R1: acknowledges what it does not have: everything there can be, one batch too many, or some more.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class AckHigh final : public Strategy {
 public:
  explicit AckHigh(Choices& choices)
      : Strategy(Mark::puppet_ack_high), kind_(choices.draw(Stream::byzantine, 3)) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    for (bridge::AckSection& ack : out.frame.acks) {
      const std::uint64_t ahead = kind_ == 0 ? 1 : (kind_ == 1 ? 1 + puppet.draw(100) : 1ULL << 40);
      ack.prefix.value += ahead;
      ack.durable = ack.prefix;
      ack.phi = {};
      puppet.had_effect();
    }
  }

 private:
  std::uint64_t kind_;
};

}  // namespace

StrategyPointer make_ack_high(Choices& choices) { return std::make_unique<AckHigh>(choices); }

}  // namespace mallard::sim
