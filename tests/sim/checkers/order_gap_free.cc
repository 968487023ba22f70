// A4: batches are applied in order and without gaps, and so are the messages that they name, whatever number
// the link starts at (F4).
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class OrderGapFree final : public Checker {
 public:
  using Checker::Checker;

  void on_apply(const Replica& replica, const bridge::Apply& order, ByteView) override {
    const std::uint32_t link = order.context.link.value;
    const BatchIndex applied = replica.stores[link].applied;
    const BatchIndex index = truth(link).index_of(order.header.batch);
    if (replica.byzantine) {
      return;
    }
    if (index > applied + 1) {
      fail(fmt::format("replica {} applies batch {} after {}", replica.id, order.header.batch.value,
                       truth(link).number(applied).value));
    } else if (order.header.first != truth(link).last_message(applied).next() && index == applied + 1) {
      fail(fmt::format("replica {}: batch {} starts with message {}", replica.id, order.header.batch.value,
                       order.header.first.value));
    }
  }
};

}  // namespace

CheckerPointer make_order_gap_free(Stage& stage, const Replicas& replicas) {
  return std::make_unique<OrderGapFree>(stage, replicas, "order_gap_free");
}

}  // namespace mallard::sim
