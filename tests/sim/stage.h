// What everything in one simulated world shares: the clock, the things that are going to happen, the
// decisions, the marks, what the links really carry, and the first failure.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/choices.h"
#include "tests/sim/event_heap.h"
#include "tests/sim/link_truth.h"
#include "tests/sim/marks.h"
#include "tests/sim/swarm_options.h"
#include "tests/support/alloc_guard.h"

namespace mallard::sim {

// A replica anywhere in the world, counted through all clusters.
using ReplicaId = std::uint16_t;

struct Failure {
  std::string checker;  // empty: none
  std::string detail;
  Nanos at = 0;
};

class Stage {
 public:
  Stage(SwarmOptions its_options, Choices& its_choices, Marks& its_marks)
      : options(std::move(its_options)), choices(its_choices), marks(its_marks) {
    links.reserve(options.links.size());
    for (const LinkShape& shape : options.links) {
      links.emplace_back(shape);
    }
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void schedule(Nanos delay, SimEvent event) {
    event.at = now + delay;
    heap.push(event, choices.draw(Stream::schedule, 4));
  }
  // Again what happens now, later, behind nothing that was to happen after it.
  void postpone(Nanos until, SimEvent event) {
    event.at = until;
    heap.push(event, 0);
  }

  // The first failure stands; the world stops at the end of the event.
  void fail(const char* checker, std::string detail) {
    if (failure.checker.empty()) {
      failure = {checker, std::move(detail), now};
    }
  }
  [[nodiscard]] bool failed() const { return !failure.checker.empty(); }

  const SwarmOptions options;
  Choices& choices;
  Marks& marks;
  EventHeap heap{4096};
  std::vector<LinkTruth> links;
  Nanos now = 0;
  bool healed = false;  // the faults are over: what is promised must now come true
  Failure failure;
  std::uint64_t port_allocations = 0;  // made by the simulator on behalf of gateways, see PortScope
  std::uint64_t digest = 0;            // of everything that happened
};

// Marks the simulator's own work inside a gateway's call, whose allocations are not the gateway's.
class PortScope {
 public:
  explicit PortScope(Stage& stage) : stage_(stage) {}
  PortScope(const PortScope&) = delete;
  PortScope& operator=(const PortScope&) = delete;
  ~PortScope() { stage_.port_allocations += guard_.allocations(); }

 private:
  Stage& stage_;
  support::AllocGuard guard_;
};

}  // namespace mallard::sim
