// A2: no batch is applied twice at one replica, also across its restarts with its disk.
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class AtMostOnce final : public Checker {
 public:
  using Checker::Checker;

  void on_apply(const Replica& replica, const bridge::Apply& order, ByteView) override {
    const std::uint32_t link = order.context.link.value;
    const BatchIndex index = truth(link).index_of(order.header.batch);
    if (!replica.byzantine && index <= replica.stores[link].applied) {
      fail(fmt::format("replica {} applies batch {} again", replica.id, order.header.batch.value));
    }
  }
};

}  // namespace

CheckerPointer make_at_most_once(Stage& stage, const Replicas& replicas) {
  return std::make_unique<AtMostOnce>(stage, replicas, "at_most_once");
}

}  // namespace mallard::sim
