// Weighted order statistics: what a part of a cluster that cannot consist of faulty replicas only agrees to.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "config/base/fixed_vector.h"
#include "config/base/ids.h"
#include "config/base/invariant.h"
#include "config/base/limits.h"

namespace mallard::bridge {

// The highest value v such that replicas of at least `threshold` weight have a value of v or more; 0 when the
// whole cluster weighs less. values[i] belongs to the replica of weights[i]. With the QUACK threshold u + 1
// over durable cursors this is Picsou's QUACK (section 4.1, weighted in 5.1).
inline std::uint64_t highest_backed(std::span<const std::uint64_t> values,
                                    const FixedVector<Weight, replicas_max>& weights, Weight threshold) {
  MALLARD_INVARIANT(values.size() == weights.size());
  std::array<std::uint8_t, replicas_max> order{};
  const std::size_t n = values.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t at =
        i;  // insertion sort, descending: n is small and the order nearly stands from call to call
    while (at > 0 && values[order[at - 1]] < values[i]) {
      order[at] = order[at - 1];
      --at;
    }
    order[at] = static_cast<std::uint8_t>(i);
  }
  Weight sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    sum += weights[order[i]];
    if (sum >= threshold) {
      return values[order[i]];
    }
  }
  return 0;
}

// The weight of the replicas whose bit is set in `mask` (bit i for replica i).
inline Weight weight_of(std::uint64_t mask, const FixedVector<Weight, replicas_max>& weights) {
  Weight sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (((mask >> i) & 1U) != 0) {
      sum += weights[i];
    }
  }
  return sum;
}

}  // namespace mallard::bridge
