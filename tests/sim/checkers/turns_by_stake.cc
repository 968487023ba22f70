// First sends follow stake, not heads: among the first k batches of a link nobody sends first much more often
// than stake / total * k times, and in a healthy world, where no receiver is passed over, nobody receives
// first much more often either. So replicas that weigh little can spoil little, however many they are.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <variant>

#include "config/base/uint128.h"
#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

class TurnsByStake final : public Checker {
 public:
  TurnsByStake(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name),
        seen_(stage, replicas.size()),
        sent_(replicas.size() * stage.links.size()),
        received_(sent_.size()) {}

  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    const auto* frame = std::get_if<bridge::SendFrame>(&effect);
    if (frame == nullptr || !frame->has_batch || replica.byzantine ||
        frame->to.cluster == replica.address.cluster || frame->batch.round != 0 ||
        frame->batch.attempt != 0) {
      return;
    }
    const std::uint32_t link = frame->batch.context.link.value;
    const BatchIndex index = truth(link).index_of(frame->batch.header.batch);
    std::uint8_t& seen = seen_.at(replica.id, link, index);
    if (seen != 0) {
      return;  // it was restarted since, and has forgotten
    }
    seen = 1;
    judge(replica, link, ++sent_[place(replica, link)], "sends", 0);
    if (stage_.options.healthy) {
      const Replica& receiver = members(frame->to.cluster.value)[frame->to.replica.value];
      // Receivers turn once for each sender: what each of the turns is off by adds up.
      const double decided = truth(link).decided();
      judge(receiver, link, ++received_[place(receiver, link)], "receives",
            2 + 2 * static_cast<std::uint64_t>(std::sqrt(decided)));
    }
  }

 private:
  [[nodiscard]] std::size_t place(const Replica& replica, std::uint32_t link) const {
    return replica.id * stage_.links.size() + link;
  }

  // A run of turns that starts anywhere is off by less than two, and a rotation knows stakes to one in 1,024.
  void judge(const Replica& replica, std::uint32_t link, std::uint64_t turns, const char* does,
             std::uint64_t slack) {
    const std::uint64_t decided = truth(link).decided();
    const Weight total = cluster(replica.address.cluster.value).total();
    const std::uint64_t rounding = 3 + decided / 1024 + slack;
    if (turns > rounding &&
        static_cast<Uint128>(turns - rounding) * total > static_cast<Uint128>(decided) * replica.weight) {
      fail(fmt::format("replica {} {} {} of {} batches of link {} first, with {} of {} of the stake",
                       replica.id, does, turns, decided, link, replica.weight, total));
    }
  }

  Grid<std::uint8_t> seen_;
  std::vector<std::uint64_t> sent_;  // first sends, by replica and link
  std::vector<std::uint64_t> received_;
};

}  // namespace

CheckerPointer make_turns_by_stake(Stage& stage, const Replicas& replicas) {
  return std::make_unique<TurnsByStake>(stage, replicas, "turns_by_stake");
}

}  // namespace mallard::sim
