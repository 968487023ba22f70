// Who signs in this epoch, and whose word was wrong before.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "config/base/ids.h"
#include "crypto/signer_roster.h"

namespace mallard::rsm::certify {

// Replicas of the own cluster: bit i for replica i.
using ReplicaSet = std::uint64_t;

[[nodiscard]] constexpr ReplicaSet bit_of(ReplicaIndex replica) { return ReplicaSet{1} << replica.value; }

struct Signers {
  crypto::SignerRoster roster;
  std::optional<ReplicaIndex> self;
  // A share of theirs was refused: theirs are checked only where others' are not enough. So what a liar can
  // make this replica check in vain is one share for each batch that lacks honest ones, and one more.
  ReplicaSet suspects = 0;

  [[nodiscard]] bool has(ReplicaIndex replica) const { return replica.value < roster.size(); }
  [[nodiscard]] ReplicaSet own() const { return self ? bit_of(*self) : 0; }
  [[nodiscard]] Weight weight(ReplicaIndex replica) const { return roster.member(replica).weight; }
  // Of members only.
  [[nodiscard]] Weight weight_of(ReplicaSet some) const;
  // A certificate needs no more.
  [[nodiscard]] bool is_enough(ReplicaSet some) const;
  // Whose share to check next: the heaviest, so that few are checked; among equals the first. `some` is not
  // empty.
  [[nodiscard]] ReplicaIndex choose(ReplicaSet some) const;

  [[nodiscard]] static ReplicaIndex lowest(ReplicaSet some) {
    return ReplicaIndex(static_cast<std::uint16_t>(std::countr_zero(some)));
  }
};

}  // namespace mallard::rsm::certify
