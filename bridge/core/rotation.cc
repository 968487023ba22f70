#include "bridge/core/rotation.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "config/base/invariant.h"

namespace mallard::bridge {

namespace {

std::uint16_t quantum_of(const ClusterView& cluster) {
  Weight divisor = 0;
  for (const Weight weight : cluster.weights) {
    divisor = std::gcd(divisor, weight);
  }
  MALLARD_INVARIANT(divisor > 0);
  return static_cast<std::uint16_t>(std::min<Weight>(cluster.total() / divisor, Rotation::slots_max));
}

}  // namespace

Rotation::Rotation(const ClusterView& cluster) {
  MALLARD_INVARIANT(cluster.is_sound());
  const std::uint32_t slots = quantum_of(cluster);
  seats_ = apportion(cluster.weights, static_cast<std::uint16_t>(slots));
  order_.reserve(slots);
  std::array<std::uint32_t, replicas_max> had{};  // slots, by replica
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    std::size_t next = replicas_max;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
      // Owed one: entitled to seats * slot / slots so far, it has had no more. All products are below 2^21.
      const bool is_owed = seats_[i] > 0 && had[i] * slots <= seats_[i] * slot;
      if (is_owed && (next == replicas_max || (had[i] + 1) * seats_[next] < (had[next] + 1) * seats_[i])) {
        next = i;
      }
    }
    MALLARD_INVARIANT(next < replicas_max);  // who has had less than the average is owed one
    ++had[next];
    order_.push_back(static_cast<std::uint8_t>(next));
  }
}

}  // namespace mallard::bridge
