#include "bridge/core/apportionment.h"

#include <array>

#include "config/base/invariant.h"
#include "config/base/uint128.h"

namespace mallard::bridge {

Seats apportion(const FixedVector<Weight, replicas_max>& weights, std::uint16_t seats) {
  Weight total = 0;
  for (const Weight weight : weights) {
    MALLARD_INVARIANT(weight >= 1 && weight <= cluster_weight_max - total);
    total += weight;
  }
  MALLARD_INVARIANT(seats >= 1 && total >= 1);
  Seats given;
  std::array<Weight, replicas_max> remainders{};
  std::uint16_t left = seats;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Uint128 entitled = static_cast<Uint128>(seats) * weights[i];
    given.push_back(static_cast<std::uint16_t>(entitled / total));
    remainders[i] = static_cast<Weight>(entitled % total);
    left = static_cast<std::uint16_t>(left - given[i]);
  }
  while (left > 0) {  // fewer are left than remainders above 0
    std::size_t next = 0;
    for (std::size_t i = 1; i < weights.size(); ++i) {
      next = remainders[i] > remainders[next] ? i : next;
    }
    ++given[next];
    remainders[next] = 0;
    --left;
  }
  return given;
}

}  // namespace mallard::bridge
