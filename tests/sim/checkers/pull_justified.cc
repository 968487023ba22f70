// A7, section 4.3 of the paper: a replica asks a peer for a batch only if some peer has said that it has it,
// or if source replicas of weight r + 1 have said that it is QUACKed. A hint of liars alone moves nothing.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <variant>

#include "config/base/limits.h"
#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

class PullJustified final : public Checker {
 public:
  PullJustified(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name),
        claimed_(stage, replicas.size()),
        prefix_(replicas.size() * stage.links.size()),
        hints_(replicas.size() * stage.links.size() * replicas.size()) {}

  void on_start(const Replica& replica) override {
    claimed_.clear(replica.id);
    const std::size_t links = stage_.links.size();
    std::fill_n(prefix_.begin() + static_cast<std::ptrdiff_t>(replica.id * links), links, 0U);
    const std::size_t row = links * replicas_.size();
    std::fill_n(hints_.begin() + static_cast<std::ptrdiff_t>(replica.id * row), row, 0U);
  }
  void on_received(const Passage& passage) override {
    const bridge::Frame& frame = passage.frame;
    if (passage.from.address.cluster == passage.to.address.cluster) {
      for (const bridge::AckSection& ack : frame.acks) {
        if (current(ack.context)) {
          claim(passage.to, ack);
        }
      }
      return;
    }
    if (frame.has_batch && current(frame.batch.context)) {
      hint(passage, frame.batch.context, frame.batch.quacked);
    }
    for (const bridge::PositionSection& position : frame.positions) {
      if (current(position.context)) {
        hint(passage, position.context, position.quacked);
      }
    }
  }
  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    const auto* frame = std::get_if<bridge::SendFrame>(&effect);
    if (frame == nullptr || !frame->has_pull || replica.byzantine) {
      return;
    }
    for (const BatchNumber batch : frame->pull.batches) {
      judge(replica, frame->pull.context.link.value, batch);
    }
  }

 private:
  [[nodiscard]] std::size_t place(const Replica& replica, std::uint32_t link) const {
    return replica.id * stage_.links.size() + link;
  }

  void claim(const Replica& at, const bridge::AckSection& ack) {
    const std::uint32_t link = ack.context.link.value;
    const BatchIndex prefix = truth(link).index_of(ack.prefix);
    const BatchIndex last = truth(link).shape().batches;
    BatchIndex& known = prefix_[place(at, link)];
    known = std::max(known, prefix);
    for (std::size_t word = 0; word < ack.phi.words(); ++word) {
      for (std::uint64_t bits = ack.phi.word(word); bits != 0; bits &= bits - 1) {
        const std::uint64_t i = prefix + 1 + word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
        claimed_.at(at.id, link, static_cast<BatchIndex>(std::min<std::uint64_t>(i, last + 1))) = 1;
      }
    }
  }

  void hint(const Passage& passage, const bridge::LinkContext& context, BatchNumber quacked) {
    std::uint64_t& known = hints_[place(passage.to, context.link.value) * replicas_.size() + passage.from.id];
    known = std::max(known, quacked.value);
  }

  void judge(const Replica& replica, std::uint32_t link, BatchNumber batch) {
    const BatchIndex index = truth(link).index_of(batch);
    if (index <= prefix_[place(replica, link)] || claimed_.at(replica.id, link, index) != 0) {
      return;
    }
    Weight weight = 0;
    for (const Replica& source : members(truth(link).shape().from)) {
      weight +=
          hints_[place(replica, link) * replicas_.size() + source.id] >= batch.value ? source.weight : 0;
    }
    const Weight r = cluster(truth(link).shape().from).r;
    if (weight <= r) {
      fail(fmt::format("replica {} pulls batch {} of link {} on hints of weight {} where r is {}", replica.id,
                       index, link, weight, r));
    }
  }

  Grid<std::uint8_t> claimed_;
  std::vector<BatchIndex> prefix_;    // the longest prefix that a peer claimed
  std::vector<std::uint64_t> hints_;  // by replica, link and source replica
};

}  // namespace

CheckerPointer make_pull_justified(Stage& stage, const Replicas& replicas) {
  return std::make_unique<PullJustified>(stage, replicas, "pull_justified");
}

}  // namespace mallard::sim
