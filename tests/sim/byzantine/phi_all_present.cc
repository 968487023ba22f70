// R3: claims everything after its prefix, as far as a phi-list reaches.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class PhiAllPresent final : public Strategy {
 public:
  PhiAllPresent() : Strategy(Mark::puppet_phi_all_present) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    for (std::size_t i = 0; i < out.frame.acks.size(); ++i) {
      std::vector<std::uint64_t> words(1 + puppet.draw(phi_bits_max / 64), ~0ULL);
      words[0] &= ~1ULL;
      out.frame.acks[i].phi = puppet.phi(i, words);
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_phi_all_present(Choices& /*choices*/) { return std::make_unique<PhiAllPresent>(); }

}  // namespace mallard::sim
