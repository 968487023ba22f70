// A1: what a correct replica applies is a batch that the source cluster decided, byte for byte, under the
// link's own generation and fence.
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class Integrity final : public Checker {
 public:
  using Checker::Checker;

  void on_apply(const Replica& replica, const bridge::Apply& order, ByteView payload) override {
    if (replica.byzantine) {
      return;
    }
    const LinkTruth& link = truth(order.context.link.value);
    if (!current(order.context) || order.fence != link.shape().fence) {
      fail(fmt::format("replica {} applies batch {} under another context", replica.id,
                       order.header.batch.value));
    } else if (!link.is_true(order.header, payload, order.proof_bytes)) {
      fail(fmt::format("replica {} applies batch {} that was never decided so", replica.id,
                       order.header.batch.value));
    }
  }
};

}  // namespace

CheckerPointer make_integrity(Stage& stage, const Replicas& replicas) {
  return std::make_unique<Integrity>(stage, replicas, "integrity");
}

}  // namespace mallard::sim
