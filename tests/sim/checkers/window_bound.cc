// D1, D7: a gateway never holds more than its window of batches that are not QUACKed: it stops taking
// commits, and takes them in order when there is room again. What an inbound link holds beyond its cursor is
// bounded too.
#include <fmt/format.h>

#include "config/base/limits.h"
#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class WindowBound final : public Checker {
 public:
  using Checker::Checker;

  void on_tapped(const Replica& replica, std::uint32_t link, BatchIndex index, PayloadRef) override {
    const LinkTruth& link_truth = truth(link);
    const LinkShape& shape = link_truth.shape();
    const BatchIndex quacked =
        link_truth.index_of(replica.life->gateway->core().outbound(shape.link)->quacked());
    if (quacked >= index) {
      return;
    }
    const std::uint64_t messages = link_truth.messages_between(quacked, index - 1);
    const std::uint64_t bytes = link_truth.bytes_between(quacked, index - 1);
    stage_.marks.hit(Mark::window_full, messages + 64 >= shape.window_messages ? 1 : 0);
    if (messages >= shape.window_messages || (bytes != 0 && bytes + batch_bytes_max > shape.window_bytes)) {
      fail(fmt::format("replica {} takes batch {} of link {} on top of {} messages and {} bytes", replica.id,
                       index, link, messages, bytes));
    }
  }
  void on_watch() override {
    for (const Replica& replica : replicas_) {
      if (!replica.alive()) {
        continue;
      }
      for (const LinkTruth& link : stage_.links) {
        const bridge::InboundLink* inbound = replica.life->gateway->core().inbound(link.shape().link);
        if (inbound != nullptr && inbound->window_bytes() > link.shape().window_bytes + batch_bytes_max) {
          fail(fmt::format("replica {} holds {} bytes of link {} beyond its cursor", replica.id,
                           inbound->window_bytes(), link.shape().link.value));
        }
      }
    }
  }
};

}  // namespace

CheckerPointer make_window_bound(Stage& stage, const Replicas& replicas) {
  return std::make_unique<WindowBound>(stage, replicas, "window_bound");
}

}  // namespace mallard::sim
