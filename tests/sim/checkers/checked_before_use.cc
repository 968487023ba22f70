// A8, and design 4.2: a batch is applied only after its certificate was found valid in this life, and is
// passed on to peers only then or when it was read back from storage.
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

class CheckedBeforeUse final : public Checker {
 public:
  CheckedBeforeUse(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), valid_(stage, replicas.size()) {}

  void on_start(const Replica& replica) override { valid_.clear(replica.id); }
  void on_checked(const Replica& replica, const bridge::CheckCertificate& order, bool valid) override {
    if (valid) {
      const std::uint32_t link = order.link.value;
      valid_.at(replica.id, link, truth(link).index_of(order.header.batch)) = 1;
    }
  }
  void on_apply(const Replica& replica, const bridge::Apply& order, ByteView) override {
    const std::uint32_t link = order.context.link.value;
    if (!replica.byzantine && valid_.at(replica.id, link, truth(link).index_of(order.header.batch)) == 0) {
      fail(fmt::format("replica {} applies batch {} unchecked", replica.id, order.header.batch.value));
    }
  }
  void on_sent(const Passage& passage) override {
    const bridge::Frame& frame = passage.frame;
    if (passage.from.byzantine || !frame.has_batch ||
        passage.from.address.cluster != passage.to.address.cluster) {
      return;
    }
    const std::uint32_t link = frame.batch.context.link.value;
    const BatchIndex index = truth(link).index_of(frame.batch.header.batch);
    if (index > passage.from.stores[link].applied && valid_.at(passage.from.id, link, index) == 0) {
      fail(fmt::format("replica {} passes on batch {} unchecked", passage.from.id,
                       frame.batch.header.batch.value));
    }
  }

 private:
  Grid<std::uint8_t> valid_;
};

}  // namespace

CheckerPointer make_checked_before_use(Stage& stage, const Replicas& replicas) {
  return std::make_unique<CheckedBeforeUse>(stage, replicas, "checked_before_use");
}

}  // namespace mallard::sim
