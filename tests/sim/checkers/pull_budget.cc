// C8: however often a peer asks, a correct replica gives it the same batch at most once in half a second,
// besides sharing it once. A copy from outside may be shared anew, so a few more are forgiven where copies
// come back.
#include <fmt/format.h>

#include <array>
#include <variant>

#include "bridge/core/pull_budget.h"
#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

constexpr std::size_t peers_max = 8;
constexpr BatchIndex remembered_max =
    256;  // a giver remembers this many batches; more may push each other out

class PullBudgetKept final : public Checker {
 public:
  PullBudgetKept(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name),
        given_(stage, replicas.size() * peers_max),
        foreign_(stage, replicas.size()) {}

  void on_start(const Replica& replica) override {
    foreign_.clear(replica.id);
    for (std::size_t peer = 0; peer < peers_max; ++peer) {
      given_.clear(row(replica, peer));
    }
  }
  // Each valid copy from outside may be shared.
  void on_received(const Passage& passage) override {
    const bridge::Frame& frame = passage.frame;
    if (frame.has_batch && current(frame.batch.context) &&
        passage.from.address.cluster != passage.to.address.cluster) {
      const std::uint32_t link = frame.batch.context.link.value;
      ++foreign_.at(passage.to.id, link, truth(link).index_of(frame.batch.header.batch));
    }
  }
  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    const auto* frame = std::get_if<bridge::SendFrame>(&effect);
    if (frame == nullptr || !frame->has_batch || replica.byzantine ||
        frame->to.cluster != replica.address.cluster) {
      return;
    }
    const std::uint32_t link = frame->batch.context.link.value;
    const BatchIndex index = truth(link).index_of(frame->batch.header.batch);
    if (truth(link).shape().batches > remembered_max) {
      return;
    }
    Given& given = given_.at(row(replica, frame->to.replica.value), link, index);
    const Nanos window = static_cast<Nanos>(bridge::PullBudget::repeat_after.ns);
    const auto elapsed_windows = static_cast<std::uint32_t>((stage_.now - given.first) / window);
    given.first = given.count == 0 ? stage_.now : given.first;
    ++given.count;
    const std::uint32_t allowed =
        foreign_.at(replica.id, link, index) + 1 + (given.count == 1 ? 0 : elapsed_windows);
    if (given.count > allowed) {
      fail(fmt::format("replica {} gives batch {} of link {} to replica {} for the {}. time; {} are due",
                       replica.id, index, link, frame->to.replica.value, given.count, allowed));
    }
  }

 private:
  struct Given {
    Nanos first = 0;
    std::uint32_t count = 0;
  };
  [[nodiscard]] static ReplicaId row(const Replica& replica, std::size_t peer) {
    return static_cast<ReplicaId>(replica.id * peers_max + peer);
  }

  Grid<Given> given_;            // by giver and receiver
  Grid<std::uint16_t> foreign_;  // copies that came from the other cluster
};

}  // namespace

CheckerPointer make_pull_budget(Stage& stage, const Replicas& replicas) {
  return std::make_unique<PullBudgetKept>(stage, replicas, "pull_budget");
}

}  // namespace mallard::sim
