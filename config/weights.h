// Arithmetic on a cluster's weights and the thresholds that follow from its fault budget (UpRight, Clement et
// al., SOSP 2009; Picsou, Frank et al., OSDI 2025, section 4). Nothing here overflows for any 64-bit input.
#pragma once

#include <optional>

#include "config/pairing.h"

namespace mallard::config {

// The sum of all stakes; none when it exceeds cluster_weight_max.
[[nodiscard]] std::optional<Weight> total_weight(const ClusterSettings& cluster);

// The budget of a cluster that states none: crash faults only, u = (total - 1) / 2 rounded down, r = 0.
// `total` is at least 1.
[[nodiscard]] FaultBudget implied_faults(Weight total);

// 2u + r + 1, the smallest total weight that tolerates `faults`; none when that exceeds cluster_weight_max.
[[nodiscard]] std::optional<Weight> required_weight(FaultBudget faults);

// Weight of acknowledgements that proves that a correct replica holds a batch: u + 1. `faults.u` is at most a
// cluster's weight.
[[nodiscard]] Weight quack_threshold(FaultBudget faults);

// Weight of complaints that proves that a correct replica lacks a batch: r + 1. `faults.r` is at most a
// cluster's weight.
[[nodiscard]] Weight duplicate_quack_threshold(FaultBudget faults);

}  // namespace mallard::config
