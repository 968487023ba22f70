// A7: a replica's cursor passes a batch only if that batch was applied at that replica since it last lost its
// disk.
#include <fmt/format.h>

#include "tests/sim/checkers/checkers.h"
#include "tests/sim/checkers/grid.h"

namespace mallard::sim {
namespace {

class NoSilentSkip final : public Checker {
 public:
  NoSilentSkip(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), applied_(stage, replicas.size()) {}

  void on_apply(const Replica& replica, const bridge::Apply& order, ByteView) override {
    const std::uint32_t link = order.context.link.value;
    applied_.at(replica.id, link, truth(link).index_of(order.header.batch)) = true;
  }
  void on_start(const Replica& replica) override {
    for (std::uint32_t link = 0; link < replica.stores.size(); ++link) {
      const LinkStore& store = replica.stores[link];
      for (BatchIndex i = store.durable + 1; i <= truth(link).shape().batches; ++i) {
        applied_.at(replica.id, link, i) = false;  // forgotten in the crash
      }
    }
    judge(replica);
  }
  void on_drained() override {
    for (const Replica& replica : replicas_) {
      judge(replica);
    }
  }

 private:
  void judge(const Replica& replica) {
    if (replica.byzantine) {
      return;
    }
    for (std::uint32_t link = 0; link < replica.stores.size(); ++link) {
      for (BatchIndex i = 1; i <= replica.stores[link].durable; ++i) {
        if (applied_.at(replica.id, link, i) == 0) {
          fail(fmt::format("replica {} is past batch {} of link {} without having applied it", replica.id, i,
                           link));
          return;
        }
      }
    }
  }

  Grid<std::uint8_t> applied_;
};

}  // namespace

CheckerPointer make_no_silent_skip(Stage& stage, const Replicas& replicas) {
  return std::make_unique<NoSilentSkip>(stage, replicas, "no_silent_skip");
}

}  // namespace mallard::sim
