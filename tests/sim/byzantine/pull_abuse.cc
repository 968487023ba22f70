// R10: pulls whatever there is and is not, over and over.
#include "tests/sim/byzantine/strategies.h"

namespace mallard::sim {
namespace {

class PullAbuse final : public Strategy {
 public:
  PullAbuse() : Strategy(Mark::puppet_pull_abuse) {}

  void act(Puppet& puppet) override {
    const LinkTruth* link = any_inbound(puppet);
    if (link == nullptr) {
      return;
    }
    puppet.each_peer([&](Replica& peer) {
      if (puppet.cross(peer)) {
        return;
      }
      bridge::Frame frame = puppet.blank(peer);
      frame.has_pull = true;
      frame.pull.context = link->shape().context;
      const std::uint64_t first = 1 + puppet.draw(link->decided() + 3);
      for (std::uint64_t i = 0; i < pulls_per_frame_max; ++i) {
        frame.pull.batches.push_back(BatchNumber(link->shape().base_batch + first + (i % 4)));
      }
      puppet.emit(peer, frame, {});
      puppet.had_effect();
    });
  }
};

}  // namespace

StrategyPointer make_pull_abuse(Choices& /*choices*/) { return std::make_unique<PullAbuse>(); }

}  // namespace mallard::sim
