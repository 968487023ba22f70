#include "tests/sim/cft/world_shape.h"

#include <array>

namespace mallard::sim::cft {

using rsm::cft::Durability;

namespace {

Duration us(std::uint64_t v) { return Duration::microseconds(static_cast<std::int64_t>(v)); }

rsm::cft::CftSettings core_of(Prng& prng, std::size_t processes) {
  rsm::cft::CftSettings core;
  core.layout.processes = processes;
  core.layout.ring_bytes = 64 * prng.between(32, 160);
  core.layout.chunk_bytes = 64 * prng.between(4, 32);
  core.payload_bytes_max = 200;
  core.window_entries = static_cast<std::uint32_t>(prng.between(8, 40));
  core.credit_bytes = 64 * prng.between(8, 64);
  core.keep_bytes = 64 * prng.between(0, 32);
  core.link_depth = static_cast<std::uint32_t>(prng.between(8, 20));
  core.poll_interval = us(prng.between(20, 50));
  core.stale_after = us(150);
  core.relink_after = us(500);
  core.stall_after = Duration::milliseconds(2);
  core.rest = us(800);
  core.stable_word_delay = us(prng.between(1, 40));
  core.lag_patience = Duration::milliseconds(2);
  core.demand_window = Duration::milliseconds(1);
  core.demand_min = 6;
  return core;
}

}  // namespace

FabricSettings fabric_of(std::uint64_t seed, const WorldShape& shape) {
  FabricSettings settings;
  settings.seed = seed;
  settings.processes = shape.processes;
  for (const memory::RegionLayout& region : shape.host.core.layout.regions())
    settings.layout.push_back(region);
  settings.queue_depth = shape.host.core.link_depth;
  Prng prng = Prng(seed).child("fabric");
  settings.step_max = us(prng.between(1, 4));
  settings.regrant_max = us(prng.between(2, 60));
  settings.pieces_max = prng.between(1, 4);
  settings.failure_delay = prng.below(3) == 0 ? Duration::forever() : us(prng.between(10, 1000));
  if (prng.below(3) == 0) settings.errors_per_million = static_cast<std::uint32_t>(prng.between(100, 3000));
  if (prng.below(3) == 0) settings.late_per_million = static_cast<std::uint32_t>(prng.between(1000, 30'000));
  settings.late_max = us(300);
  return settings;
}

WorldShape draw_shape(std::uint64_t seed) {
  Prng prng = Prng(seed).child("shape");
  WorldShape shape;
  constexpr std::array<std::size_t, 10> sizes = {3, 3, 3, 3, 5, 5, 4, 2, 1, 3};
  shape.members = sizes[prng.below(sizes.size())];
  shape.membership = shape.members >= 3 && prng.below(5) == 0;
  shape.processes = shape.members + (shape.membership ? 1 : 0);
  shape.durability = prng.below(2) == 0 ? Durability::disk : Durability::replicated;
  shape.host.core = core_of(prng, shape.processes);
  shape.host.core.durability = shape.durability;
  shape.shrinks =
      shape.membership && (shape.durability == Durability::disk || Prng(seed).child("shrinks").below(3) != 0);
  shape.host.core.start.members = {(1ULL << shape.members) - 1, Epoch(1)};
  shape.host.sync_max = us(prng.between(5, 150));
  shape.host.apply_per_turn = static_cast<std::uint32_t>(prng.between(1, 16));
  shape.host.snapshot_every = static_cast<std::uint32_t>(prng.between(8, 60));
  shape.turn_max = us(prng.between(3, 20));
  shape.fault_every = us(prng.between(150, 2000));
  shape.faults_end = us(prng.between(3000, 12'000));
  shape.request_every = us(prng.between(10, 80));
  shape.beyond_budget = prng.below(10) == 0;
  shape.drip = !shape.beyond_budget && shape.members >= 3 && prng.below(12) == 0;
  shape.power_cut = shape.durability == Durability::disk && prng.below(4) == 0;
  // A random half of the faults is left out; one world in ten is healthy.
  shape.faults = prng.below(10) == 0 ? 0 : static_cast<std::uint32_t>(prng.next() & 0x1ff);
  if (shape.drip) shape.faults = 0;
  if (shape.membership && prng.below(2) == 0) {
    shape.faults = 1;  // crashes, and many of them
    shape.fault_every = us(150);
    shape.faults_end = us(12'000);
  }
  shape.stop_leaders = !shape.beyond_budget && !shape.drip && shape.members >= 3 && prng.below(6) == 0;
  if (shape.stop_leaders) {
    shape.faults = 0;
    shape.power_cut = false;
    shape.faults_end = us(25'000);
  }
  return shape;
}

}  // namespace mallard::sim::cft
