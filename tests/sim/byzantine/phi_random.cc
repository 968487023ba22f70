// R3: claims and denies batches after its prefix at random, also ones that were never sent.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class PhiRandom final : public Strategy {
 public:
  PhiRandom() : Strategy(Mark::puppet_phi_random) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    for (std::size_t i = 0; i < out.frame.acks.size(); ++i) {
      std::vector<std::uint64_t> words(1 + puppet.draw(3));
      for (std::uint64_t& word : words) {
        word = puppet.draw(UINT64_MAX);
      }
      words[0] &= ~1ULL;
      out.frame.acks[i].phi = puppet.phi(i, words);
      puppet.had_effect();
    }
  }
};

}  // namespace

StrategyPointer make_phi_random(Choices& /*choices*/) { return std::make_unique<PhiRandom>(); }

}  // namespace mallard::sim
