// C3: rounds are paced. Between what a sender sends of a batch in one round and in the next lies the wait
// that the first one owes: the least RTO, doubled with each round up to the longest wait.
#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

class RoundsPaced final : public Checker {
 public:
  RoundsPaced(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), last_(stage, replicas.size()) {}

  void on_start(const Replica& replica) override { last_.clear(replica.id); }
  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    const auto* frame = std::get_if<bridge::SendFrame>(&effect);
    if (frame == nullptr || !frame->has_batch || replica.byzantine ||
        frame->to.cluster == replica.address.cluster) {
      return;
    }
    const std::uint32_t link = frame->batch.context.link.value;
    const BatchIndex index = truth(link).index_of(frame->batch.header.batch);
    Last& last = last_.at(replica.id, link, index);
    if (last.at != 0 && frame->batch.round > last.round) {
      const Duration wait = std::min(stage_.options.rto_min * (std::int64_t{1} << std::min(last.round, 30U)),
                                     stage_.options.round_backoff_max);
      if (stage_.now - last.at < static_cast<Nanos>(wait.ns)) {
        fail(fmt::format("replica {} starts round {} of batch {} of link {} after {} us; {} us are due",
                         replica.id, frame->batch.round, index, link, (stage_.now - last.at) / microsecond,
                         wait.ns / 1000));
      }
    }
    last = {.at = stage_.now, .round = frame->batch.round};
  }

 private:
  struct Last {
    Nanos at = 0;
    std::uint32_t round = 0;
  };
  Grid<Last> last_;
};

}  // namespace

CheckerPointer make_rounds_paced(Stage& stage, const Replicas& replicas) {
  return std::make_unique<RoundsPaced>(stage, replicas, "rounds_paced");
}

}  // namespace mallard::sim
