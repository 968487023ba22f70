// A3: correct replicas of a destination that apply a batch apply the same one. Judged without the truth.
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

class Agreement final : public Checker {
 public:
  Agreement(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), first_(stage, 1) {}

  void on_apply(const Replica& replica, const bridge::Apply& order, ByteView payload) override {
    const std::uint32_t link = order.context.link.value;
    const BatchIndex index = truth(link).index_of(order.header.batch);
    if (replica.byzantine) {
      return;
    }
    const std::uint64_t digest = digest_of(payload) ^ order.header.first.value;
    std::uint64_t& first = first_.at(0, link, index);
    if (first == 0) {
      first = digest;
    } else if (first != digest) {
      fail(fmt::format("replica {} applies another batch {} than a replica before", replica.id,
                       order.header.batch.value));
    }
  }

 private:
  Grid<std::uint64_t> first_;
};

}  // namespace

CheckerPointer make_agreement(Stage& stage, const Replicas& replicas) {
  return std::make_unique<Agreement>(stage, replicas, "agreement");
}

}  // namespace mallard::sim
