// B5: a correct sender never takes anything beyond its own log as QUACKed, whatever it is told.
#include <fmt/format.h>

#include <variant>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class QuackWithinCommitted final : public Checker {
 public:
  using Checker::Checker;

  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    const auto* quacked = std::get_if<bridge::Quacked>(&effect);
    if (quacked == nullptr || replica.byzantine) {
      return;
    }
    const std::uint32_t link = quacked->link.value;
    if (quacked->through > truth(link).number(replica.stores[link].newest)) {
      fail(fmt::format("replica {} QUACKs batch {} of link {} beyond its own log", replica.id,
                       quacked->through.value, link));
    }
  }
};

}  // namespace

CheckerPointer make_quack_within_committed(Stage& stage, const Replicas& replicas) {
  return std::make_unique<QuackWithinCommitted>(stage, replicas, "quack_within_committed");
}

}  // namespace mallard::sim
