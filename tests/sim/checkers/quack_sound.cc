// B1, A9: when a correct sender calls a batch QUACKed, replicas of weight at least u + 1 have told it, in
// this link's own context, that they hold it durably (B10), and a correct one really does. Each sender is
// judged by what it was told itself, so liars that tell each sender something else gain nothing (B6).
#include <fmt/format.h>

#include <variant>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class QuackSound final : public Checker {
 public:
  QuackSound(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), told_(replicas.size() * stage.links.size() * replicas.size()) {}

  void on_start(const Replica& replica) override {
    const std::size_t row = stage_.links.size() * replicas_.size();
    std::fill_n(told_.begin() + static_cast<std::ptrdiff_t>(replica.id * row), row, 0U);
  }
  void on_received(const Passage& passage) override {
    for (const bridge::AckSection& ack : passage.frame.acks) {
      if (!current(ack.context) ||
          passage.from.address.cluster.value != truth(ack.context.link.value).shape().to) {
        continue;
      }
      std::uint64_t& told = told_by(passage.to, ack.context.link.value, passage.from);
      told = std::max(told, ack.durable.value);
    }
  }
  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    const auto* quacked = std::get_if<bridge::Quacked>(&effect);
    if (quacked != nullptr && !replica.byzantine) {
      judge(replica, quacked->link.value, quacked->through);
    }
  }

 private:
  std::uint64_t& told_by(const Replica& at, std::uint32_t link, const Replica& by) {
    return told_[(at.id * stage_.links.size() + link) * replicas_.size() + by.id];
  }

  void judge(const Replica& sender, std::uint32_t link, BatchNumber through) {
    const LinkTruth& link_truth = truth(link);
    const BatchIndex index = link_truth.index_of(through);
    if (index == 0) {
      return;
    }
    Weight weight = 0;
    bool held = false;
    for (const Replica& replica : members(link_truth.shape().to)) {
      weight += told_by(sender, link, replica) >= through.value ? replica.weight : 0;
      held = held || (replica.correct() && replica.stores[link].durable >= index);
    }
    const bridge::ClusterView& view = cluster(link_truth.shape().to);
    if (weight <= view.u) {
      fail(fmt::format("replica {} QUACKs batch {} of link {} on weight {} where u is {}", sender.id, index,
                       link, weight, view.u));
    } else if (!held && !stage_.options.beyond_budget) {
      fail(fmt::format("replica {} QUACKs batch {} of link {} that no correct replica holds", sender.id,
                       index, link));
    }
    stage_.marks.hit(Mark::quack_by_exactly_u_plus_1, weight == view.u + 1 ? 1 : 0);
  }

  std::vector<std::uint64_t> told_;
};

}  // namespace

CheckerPointer make_quack_sound(Stage& stage, const Replicas& replicas) {
  return std::make_unique<QuackSound>(stage, replicas, "quack_sound");
}

}  // namespace mallard::sim
