#include "config/weights.h"

#include "config/base/invariant.h"
#include "config/base/limits.h"

namespace mallard::config {

std::optional<Weight> total_weight(const ClusterSettings& cluster) {
  Weight total = 0;
  for (const ReplicaSettings& replica : cluster.replicas) {
    if (__builtin_add_overflow(total, replica.stake, &total) || total > cluster_weight_max) {
      return std::nullopt;
    }
  }
  return total;
}

FaultBudget implied_faults(Weight total) {
  MALLARD_INVARIANT(total >= 1);
  return {.u = (total - 1) / 2, .r = 0};
}

std::optional<Weight> required_weight(FaultBudget faults) {
  Weight required = 0;
  if (__builtin_mul_overflow(faults.u, Weight{2}, &required) ||
      __builtin_add_overflow(required, faults.r, &required) ||
      __builtin_add_overflow(required, Weight{1}, &required) || required > cluster_weight_max) {
    return std::nullopt;
  }
  return required;
}

Weight quack_threshold(FaultBudget faults) {
  MALLARD_INVARIANT(faults.u < cluster_weight_max);
  return faults.u + 1;
}

Weight duplicate_quack_threshold(FaultBudget faults) {
  MALLARD_INVARIANT(faults.r < cluster_weight_max);
  return faults.r + 1;
}

}  // namespace mallard::config
