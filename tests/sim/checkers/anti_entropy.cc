// B8: soon after the faults are over, every correct replica of a destination has what any correct peer of its
// cluster had durably when they ended.
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class AntiEntropy final : public Checker {
 public:
  using Checker::Checker;

  void on_heal() override {
    const SwarmOptions& options = stage_.options;
    known_.assign(stage_.links.size(), 0);
    BatchIndex most = 0;
    for (std::uint32_t link = 0; link < known_.size(); ++link) {
      for (const Replica& replica : members(truth(link).shape().to)) {
        known_[link] = std::max(known_[link], replica.correct() ? replica.stores[link].durable : 0);
      }
      most = std::max(most, known_[link]);
    }
    // A channel must come back, then each pull takes a round trip and a sync; a window of one batch takes one
    // for each.
    const Nanos round_trip = 2 * (options.network.delay_min + options.network.delay_spread) +
                             static_cast<Nanos>(options.pull_delay.ns + 2 * options.ack_interval.ns) +
                             2 * (options.sync_min + options.sync_spread) + 2 * options.check_spread;
    due_ = stage_.now + 20 * second + most * 4 * round_trip;
  }
  void on_watch() override {
    if (known_.empty() || stage_.now < due_ || stage_.options.beyond_budget) {
      return;
    }
    due_ = never;
    for (std::uint32_t link = 0; link < known_.size(); ++link) {
      for (const Replica& replica : members(truth(link).shape().to)) {
        if (!replica.byzantine && !replica.gone && replica.stores[link].durable < known_[link]) {
          fail(fmt::format("replica {} has {} of link {} long after a peer had {}", replica.id,
                           replica.stores[link].durable, link, known_[link]));
        }
      }
    }
  }

 private:
  std::vector<BatchIndex> known_;  // by link
  Nanos due_ = never;
};

}  // namespace

CheckerPointer make_anti_entropy(Stage& stage, const Replicas& replicas) {
  return std::make_unique<AntiEntropy>(stage, replicas, "anti_entropy");
}

}  // namespace mallard::sim
