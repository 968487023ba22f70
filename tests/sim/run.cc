#include "tests/sim/run.h"

#include <algorithm>

#include "tests/sim/trace.h"

namespace mallard::sim {

SwarmOptions draw_reduced(Choices& choices, const Reduction& reduction) {
  SwarmOptions options = draw_options(choices);
  for (std::size_t i = 0; i < fault_count; ++i) {
    options.faults[i] = options.faults[i] && ((reduction.faults_off >> i) & 1U) == 0;
  }
  if (reduction.calm_network) {
    options.network.loss = 0;
    options.network.duplicate = 0;
    options.network.reorder = false;
  }
  if (options.links.size() > reduction.links_max) {
    options.links.resize(reduction.links_max);
  }
  for (LinkShape& link : options.links) {
    link.batches = std::min(link.batches, reduction.batches_max);
  }
  options.events_max = std::min(options.events_max, reduction.events_max);
  return options;
}

Outcome run_world(Choices& choices, const Reduction& reduction, Marks& marks, std::FILE* story) {
  const SwarmOptions options = draw_reduced(choices, reduction);
  World world(options, choices, marks);
  if (story != nullptr) {
    world.watchers().add(make_trace(world.stage(), world.replicas(), story));
  }
  return world.run();
}

}  // namespace mallard::sim
