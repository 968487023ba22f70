// What a seed draws: how large its world is, and what goes wrong in it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tests/sim/cft/sim_host.h"

namespace mallard::sim::cft {

struct WorldShape {
  std::size_t processes = 3;
  std::size_t members = 3;  // the first so many; the others may be added later
  rsm::cft::Durability durability = rsm::cft::Durability::disk;
  HostShape host;
  Duration turn_max = Duration::microseconds(15);
  Duration fault_every = Duration::milliseconds(1);
  Duration faults_end = Duration::milliseconds(10);
  Duration request_every = Duration::microseconds(40);
  std::size_t request_bytes_max = 100;
  bool beyond_budget = false;
  bool membership = false;
  // With `membership`: down to two members, and no disk is lost. Two need each other, so that the loss of
  // one's log just before a removal is decided would stop any cluster for good: where memory is what was
  // promised, nobody dies while a change is on its way to the log, and it comes once its leader knows who is
  // down. In other worlds members come and go beyond the first ones.
  bool shrinks = false;
  bool drip = false;
  bool power_cut = false;
  bool stop_leaders = false;  // each stands still soon after it has begun to lead
  std::uint32_t faults = 0;   // set of kinds that strike
};

[[nodiscard]] WorldShape draw_shape(std::uint64_t seed);
// The fabric of that world; what of it goes wrong by itself follows from the seed, too.
[[nodiscard]] FabricSettings fabric_of(std::uint64_t seed, const WorldShape& shape);

}  // namespace mallard::sim::cft
