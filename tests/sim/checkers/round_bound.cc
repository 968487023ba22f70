// C1: in one round the senders of a cluster send at most R_max copies of a batch, each attempt once and by
// the sender whose turn it is.
#include <fmt/format.h>

#include <array>
#include <variant>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

class RoundBound final : public Checker {
 public:
  RoundBound(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), turns_(stage, replicas.size()), copies_(stage, 1) {}

  void on_start(const Replica& replica) override { turns_.clear(replica.id); }

  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    const auto* frame = std::get_if<bridge::SendFrame>(&effect);
    if (frame != nullptr && frame->has_batch && !replica.byzantine &&
        frame->to.cluster != replica.address.cluster) {
      judge(replica, frame->batch);
    }
  }

 private:
  struct Turns {
    std::uint32_t round = 0;
    std::uint32_t sent = 0;  // attempts of this round, a bit each
  };
  using Copies = std::array<std::uint16_t, 4>;  // by round, of the first four

  void judge(const Replica& replica, const bridge::BatchSection& batch) {
    const std::uint32_t link = batch.context.link.value;
    const BatchIndex index = truth(link).index_of(batch.header.batch);
    const bridge::ShareWalk& walk = replica.life->gateway->core().outbound(batch.context.link)->walk();
    const bridge::Pair pair = walk.pair(batch.header.batch, batch.attempt);
    Turns& turns = turns_.at(replica.id, link, index);
    if (pair.sender != replica.address.replica) {
      return fail(fmt::format("replica {} sends batch {} of link {} in the turn of {}", replica.id, index,
                              link, pair.sender.value));
    }
    if (batch.round < turns.round) {
      return fail(
          fmt::format("replica {} goes back to round {} of batch {}", replica.id, batch.round, index));
    }
    if (batch.round != turns.round) {
      turns = {.round = batch.round, .sent = 0};
    }
    if (((turns.sent >> batch.attempt) & 1U) != 0) {
      return fail(fmt::format("replica {} sends attempt {} of batch {} of link {} twice in round {}",
                              replica.id, batch.attempt, index, link, batch.round));
    }
    turns.sent |= 1U << batch.attempt;
    stage_.marks.hit(Mark::last_attempt_of_round, batch.attempt + 1U == walk.longest() ? 1 : 0);
    if (batch.round < std::tuple_size_v<Copies>) {
      count(replica, link, index, batch.round, walk.longest());
    }
  }

  void count(const Replica& replica, std::uint32_t link, BatchIndex index, std::uint32_t round,
             std::size_t r_max) {
    std::uint64_t lives = 1;  // a sender that restarts has forgotten its turns
    for (const Replica& sender : members(replica.address.cluster.value)) {
      lives += sender.lives - 1;
    }
    std::uint16_t& copies = copies_.at(0, link, index)[round];
    if (++copies > r_max * lives) {
      fail(fmt::format("batch {} of link {} is sent {} times in round {}; R_max is {}", index, link, copies,
                       round, r_max));
    }
  }

  Grid<Turns> turns_;
  Grid<Copies> copies_;
};

}  // namespace

CheckerPointer make_round_bound(Stage& stage, const Replicas& replicas) {
  return std::make_unique<RoundBound>(stage, replicas, "round_bound");
}

}  // namespace mallard::sim
