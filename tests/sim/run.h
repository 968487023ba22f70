// Runs one seed, or one saved list of choices, from the drawing of its world to its outcome.
#pragma once

#include <cstdint>
#include <cstdio>

#include "tests/sim/choices.h"
#include "tests/sim/marks.h"
#include "tests/sim/swarm_options.h"
#include "tests/sim/world.h"

namespace mallard::sim {

// What is left out of a world to make a failure easier to read.
struct Reduction {
  std::uint32_t faults_off = 0;         // a bit for each kind of fault
  bool calm_network = false;            // no loss, duplicates or reordering
  BatchIndex batches_max = UINT32_MAX;  // of each link
  std::uint64_t events_max = UINT64_MAX;
  std::size_t links_max = links_limit;
  static constexpr std::size_t links_limit = 64;
};

// Draws a world and runs it. `story` may be null.
Outcome run_world(Choices& choices, const Reduction& reduction, Marks& marks, std::FILE* story);
// The world that run_world() would run.
SwarmOptions draw_reduced(Choices& choices, const Reduction& reduction);

}  // namespace mallard::sim
