// What an operator decides about the key-value machine.
#pragma once

#include <cstdint>

#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {

// `state_bytes` and `sessions_max` decide replies: they must be equal on all replicas of a cluster, and stand
// in the state, so that replicas that disagree have different hashes from the first entry on.
struct KvSettings {
  std::uint64_t state_bytes = 1ULL << 30;    // for what clients store, as KeyForest::units_of() counts
  std::uint32_t sessions_max = 16'384;       // at most sessions_limit
  std::uint64_t view_bytes = 256ULL << 20;   // for versions that only views still see
  std::uint64_t history_bytes = 2ULL << 20;  // for the newest changes; at least history_bytes_min
};

}  // namespace mallard::rsm
