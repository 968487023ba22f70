// Who sends a batch to whom: first, and again and again until it must have arrived.
//
// Picsou resends from (sender + t) to (receiver + t). That covers u_s + u_r faults only when the clusters are
// equal and large enough; the share walk covers every configuration (Picsou section 5.3, without its least
// common multiples). Every replica has shares: senders their stake times the destination's total, receivers
// theirs times the source's total, so that both sides have equally many. Each attempt pairs the current
// sender with the current receiver and uses up as many shares of both as the poorer one has left; whoever has
// none left makes room for the next in the rotation. A walk ends when u_s and u_r, scaled likewise, and one
// more share are used up: faulty replicas cannot have been part of all of them, so some pair was correct on
// both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/cluster_view.h"
#include "config/base/ids.h"

namespace mallard::bridge {

struct Pair {
  ReplicaIndex sender;
  ReplicaIndex receiver;
  friend constexpr bool operator==(Pair, Pair) = default;
};

class ShareWalk {
 public:
  // Computes the walk of every start pair; the only allocation.
  ShareWalk(const ClusterView& source, const ClusterView& destination);

  // The pair that sends `batch` first. Senders take turns; a sender's receivers take turns (Picsou
  // section 4.1), so that every pair meets.
  [[nodiscard]] Pair first(BatchNumber batch) const;
  // How many attempts one round has for this batch; at least 1, at most longest().
  [[nodiscard]] std::size_t length(BatchNumber batch) const;
  // The pair of an attempt, 0 .. length(batch) - 1; attempt 0 is first(batch).
  [[nodiscard]] Pair pair(BatchNumber batch, std::size_t attempt) const;
  // R_max: the longest walk over all starts; the bound on the copies of a batch in one round. u_s + u_r + 1
  // when the clusters are equal and unweighted, more when they are not.
  [[nodiscard]] std::size_t longest() const { return longest_; }

 private:
  [[nodiscard]] std::size_t start_of(BatchNumber batch) const;

  std::size_t senders_;
  std::size_t receivers_;
  std::size_t longest_ = 0;
  std::vector<std::uint8_t> lengths_;  // by start: sender * receivers_ + receiver
  std::vector<Pair> pairs_;            // by start * walk_room_ + attempt
  std::size_t walk_room_;              // no walk is longer: each attempt but the last uses up a replica
};

}  // namespace mallard::bridge
