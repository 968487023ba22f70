// B2: a correct sender gives up a batch's body only once a correct replica of the destination holds the batch
// durably, or when it was given the batch a second time. A link that waits for a snapshot takes no bodies at
// all.
#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {
namespace {

class GcSound final : public Checker {
 public:
  GcSound(Stage& stage, const Replicas& replicas, const char* name)
      : Checker(stage, replicas, name), bodies_(replicas.size()) {}

  void on_start(const Replica& replica) override { bodies_[replica.id].clear(); }
  void on_tapped(const Replica& replica, std::uint32_t link, BatchIndex index, PayloadRef payload) override {
    bodies_[replica.id].push_back({payload.slot, link, index});
  }
  void on_effect(const Replica& replica, const bridge::Effect& effect) override {
    const auto* release = std::get_if<bridge::Release>(&effect);
    if (release == nullptr || replica.byzantine) {
      return;
    }
    std::vector<Body>& bodies = bodies_[replica.id];
    const auto body = std::find_if(bodies.begin(), bodies.end(),
                                   [&](const Body& b) { return b.slot == release->payload.slot; });
    if (body == bodies.end()) {
      return;  // of an inbound link
    }
    const Body given_up = *body;
    *body = bodies.back();
    bodies.pop_back();
    judge(replica, given_up);
  }

 private:
  struct Body {
    std::uint32_t slot = 0;
    std::uint32_t link = 0;
    BatchIndex index = 0;
  };

  void judge(const Replica& replica, const Body& given_up) const {
    const LinkShape& shape = truth(given_up.link).shape();
    const auto holders = members(shape.to);
    const bool held = std::any_of(holders.begin(), holders.end(), [&](const Replica& holder) {
      return holder.correct() && holder.stores[given_up.link].durable >= given_up.index;
    });
    const std::vector<Body>& bodies = bodies_[replica.id];
    const bool twice = std::any_of(bodies.begin(), bodies.end(), [&](const Body& other) {
      return other.link == given_up.link && other.index == given_up.index;
    });
    const bool waits =
        replica.life->gateway->core().outbound(shape.link)->state() == bridge::OutboundState::needs_snapshot;
    if (!held && !twice && !waits && !stage_.options.beyond_budget) {
      fail(fmt::format("replica {} gives up batch {} of link {} that no correct replica holds", replica.id,
                       given_up.index, given_up.link));
    }
  }

  std::vector<std::vector<Body>> bodies_;  // by replica; one for each reference that its core holds
};

}  // namespace

CheckerPointer make_gc_sound(Stage& stage, const Replicas& replicas) {
  return std::make_unique<GcSound>(stage, replicas, "gc_sound");
}

}  // namespace mallard::sim
