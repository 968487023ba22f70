// One cluster as the other side counts it in one epoch: who is in it, what each weighs, and the two
// thresholds.
#pragma once

#include <cstddef>

#include "config/base/fixed_vector.h"
#include "config/base/ids.h"
#include "config/base/limits.h"

namespace mallard::bridge {

// Everything that decisions about a cluster depend on. All replicas of both clusters hold the same value for
// an epoch. Invariants: 1 <= weights.size(); every weight >= 1; r <= u; the total is at most
// cluster_weight_max and at least 2u + r + 1 (UpRight; Picsou section 2.1). The configuration loader checks
// them before one is made, and a core checks them again (is_sound) before it relies on one.
struct ClusterView {
  ClusterIndex cluster;
  Epoch epoch{1};
  Weight u = 0;  // weight of faults of any kind under which the cluster stays live
  Weight r = 0;  // weight of commission (Byzantine) faults under which it stays safe; r <= u
  FixedVector<Weight, replicas_max> weights;

  [[nodiscard]] std::size_t size() const { return weights.size(); }
  [[nodiscard]] Weight total() const {
    Weight sum = 0;
    for (const Weight w : weights) {
      sum += w;
    }
    return sum;
  }
  // Whether the invariants hold. Nothing in here wraps around, whatever the numbers are.
  [[nodiscard]] bool is_sound() const {
    Weight sum = 0;
    for (const Weight w : weights) {
      if (w == 0 || w > cluster_weight_max - sum) {
        return false;
      }
      sum += w;
    }
    return sum > 0 && r <= u && u <= (sum - 1) / 2 && r <= sum - 1 - 2 * u;
  }
  // Acknowledgements of this weight contain one of a correct replica (Picsou section 4.1: a QUACK).
  [[nodiscard]] Weight quack_threshold() const { return u + 1; }
  // Statements of this weight contain one of a replica that does not lie (Picsou section 4.2: a duplicate
  // QUACK).
  [[nodiscard]] Weight truth_threshold() const { return r + 1; }
};

}  // namespace mallard::bridge
