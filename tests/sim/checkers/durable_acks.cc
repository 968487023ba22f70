// B4: what a correct replica acknowledges as durable is on its disk when it says so, is never more than it
// calls received, and never falls below what it said before, restarts with its disk included.
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class DurableAcks final : public Checker {
 public:
  DurableAcks(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), said_(replicas.size() * stage.links.size()) {}

  void on_start(const Replica& replica) override {
    for (std::uint32_t link = 0; link < replica.stores.size(); ++link) {
      BatchIndex& said = said_[replica.id * stage_.links.size() + link];
      if (replica.stores[link].lost && replica.stores[link].durable == 0) {
        said = 0;  // it has forgotten what it said, and everybody knows it for a faulty one
      }
      if (said > replica.stores[link].durable) {
        fail(fmt::format("replica {} said {} of link {} is durable and came back with {}", replica.id, said,
                         link, replica.stores[link].durable));
      }
    }
  }
  void on_sent(const Passage& passage) override {
    if (passage.from.byzantine) {
      return;
    }
    for (const bridge::AckSection& ack : passage.frame.acks) {
      const std::uint32_t link = ack.context.link.value;
      const BatchIndex durable = truth(link).index_of(ack.durable);
      BatchIndex& said = said_[passage.from.id * stage_.links.size() + link];
      if (durable > passage.from.stores[link].durable || ack.durable > ack.prefix) {
        fail(fmt::format("replica {} says {} of link {} is durable; it has received {} and {} is",
                         passage.from.id, durable, link, truth(link).index_of(ack.prefix),
                         passage.from.stores[link].durable));
      } else if (durable < said) {
        fail(fmt::format("replica {} says {} of link {} is durable after it said {}", passage.from.id,
                         durable, link, said));
      }
      said = std::max(said, durable);
    }
  }

 private:
  std::vector<BatchIndex> said_;
};

}  // namespace

CheckerPointer make_durable_acks(Stage& stage, const Replicas& replicas) {
  return std::make_unique<DurableAcks>(stage, replicas, "durable_acks");
}

}  // namespace mallard::sim
