// Whole seats from unequal stake: Hamilton's method of largest remainders (Picsou section 5.2, figure 5).
#pragma once

#include <cstdint>

#include "config/base/fixed_vector.h"
#include "config/base/ids.h"
#include "config/base/limits.h"

namespace mallard::bridge {

// By replica; their sum is what was given away.
using Seats = FixedVector<std::uint16_t, replicas_max>;

// Gives `seats` seats, at least 1, to replicas of these weights, each at least 1 and together at most
// cluster_weight_max. Replica l is entitled to seats * weight / total: it gets that rounded down, and one
// more if its remainder is among the largest, the lower index first among equals. So nobody is a whole seat
// away from what he is entitled to, and whoever is entitled to little may get none. Products take 128 bits.
[[nodiscard]] Seats apportion(const FixedVector<Weight, replicas_max>& weights, std::uint16_t seats);

}  // namespace mallard::bridge
