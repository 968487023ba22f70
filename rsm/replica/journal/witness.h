// How far a store is, in numbers that never go back.
#pragma once

#include <cstdint>

#include "config/base/ids.h"

namespace mallard::rsm::journal {

// What a replica tells its peers of its store, and they remember: one that says less later is an older copy
// of itself (reliability.md I9).
struct Witness {
  Incarnation incarnation;       // of the store; a newer one begins anew
  std::uint64_t generation = 0;  // of the superblock
  std::uint64_t records = 0;     // how many were durable, superseded ones included
  friend bool operator==(const Witness&, const Witness&) = default;
};

}  // namespace mallard::rsm::journal
