// S5: numbers batches and messages as it likes: far ahead, one off, or another count.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class WrongNumbers final : public Strategy {
 public:
  WrongNumbers() : Strategy(Mark::puppet_wrong_numbers) {}

  void on_out(Puppet& puppet, Outgoing& out) override {
    if (!sends_across(puppet, out) || puppet.draw(2) == 0) {
      return;
    }
    bridge::BatchHeader& header = out.frame.batch.header;
    switch (puppet.draw(5)) {
      case 0:
        header.batch.value += 1'000'000'000;
        break;
      case 1:
        ++header.batch.value;
        break;
      case 2:
        ++header.first.value;
        break;
      case 3:
        header.count = static_cast<std::uint16_t>(header.count + 1);
        break;
      default:
        header.batch.value = UINT64_MAX - puppet.draw(5);
    }
    puppet.had_effect();
  }
};

}  // namespace

StrategyPointer make_wrong_numbers(Choices& /*choices*/) { return std::make_unique<WrongNumbers>(); }

}  // namespace mallard::sim
