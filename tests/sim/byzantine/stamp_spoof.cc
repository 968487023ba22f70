// R5: complains over and over with echoes of its choice: old ones, the newest, and ones that were never
// issued.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class StampSpoof final : public Strategy {
 public:
  StampSpoof() : Strategy(Mark::puppet_stamp_spoof) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    for (bridge::AckSection& ack : out.frame.acks) {
      ack.prefix = ack.durable;
      ack.phi = {};
      bridge::Frame again = puppet.blank(out.to);
      again.acks = out.frame.acks;
      const std::uint64_t newest = puppet.heard(out.to).heard.value;
      // An echo of the future costs the channel, so it is rare.
      again.echo =
          bridge::Stamp(puppet.draw(200) == 0 ? newest + 1'000'000 : newest - puppet.draw(newest / 2 + 1));
      again.echo_delay_us = static_cast<std::uint32_t>(puppet.draw(UINT32_MAX));
      puppet.emit(out.to, again, {});
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_stamp_spoof(Choices& /*choices*/) { return std::make_unique<StampSpoof>(); }

}  // namespace mallard::sim
