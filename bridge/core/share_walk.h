// Who sends a batch to whom: first, and again and again until it must have arrived.
//
// Picsou resends from (sender + t) to (receiver + t). That covers u_s + u_r faults only when the clusters are
// equal and large enough; the share walk covers every configuration (Picsou section 5.3, without its least
// common multiples). Every replica has shares: senders their stake times the destination's total, receivers
// theirs times the source's total, so that both sides have equally many. Each attempt pairs the current
// sender with the current receiver and uses up as many shares of both as the poorer one has left; whoever has
// none left makes room for the next in the rotation. A walk ends when u_s and u_r, scaled likewise, and one
// more share are used up: faulty replicas cannot have been part of all of them, so some pair was correct on
// both sides. Weights are below 2^63, so shares take 128 bits and products never wrap around.
//
// Where a walk starts is whose turn it is to send first, and to receive first: both sides take turns by stake
// (rotation.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/cluster_view.h"
#include "bridge/core/rotation.h"
#include "config/base/ids.h"

namespace mallard::bridge {

struct Pair {
  ReplicaIndex sender;
  ReplicaIndex receiver;
  friend constexpr bool operator==(Pair, Pair) = default;
};

class ShareWalk {
 public:
  // Computes the walk of every pair that may come first; the only allocation. Of both clusters' replicas n
  // and m it takes 4nm(n + m) bytes: 3 KB for 7 to 7, 2 MB for 64 to 64.
  ShareWalk(const ClusterView& source, const ClusterView& destination);

  // The pair that sends `batch` first. Senders take turns; a sender's receivers take turns (Picsou
  // section 4.1), each slot of a sender's on its own, so that every two replicas that have slots meet, as
  // often as their slots multiply. Costs three divisions and three reads, whatever the clusters.
  [[nodiscard]] Pair first(BatchNumber batch) const;
  // How many attempts one round has for this batch; at least 1, at most longest().
  [[nodiscard]] std::size_t length(BatchNumber batch) const;
  // The pair of an attempt, 0 .. length(batch) - 1; attempt 0 is first(batch).
  [[nodiscard]] Pair pair(BatchNumber batch, std::size_t attempt) const;
  // R_max: the longest walk over all pairs that may come first; the bound on the copies of a batch in one
  // round. u_s + u_r + 1 when the clusters are equal and unweighted, more when they are not; always less than
  // the replicas of both clusters together.
  [[nodiscard]] std::size_t longest() const { return longest_; }

  // Whose turns they are.
  [[nodiscard]] const Rotation& senders() const { return senders_; }
  [[nodiscard]] const Rotation& receivers() const { return receivers_; }

 private:
  void plan(const ClusterView& source, const ClusterView& destination, std::size_t start);

  [[nodiscard]] std::size_t start_of(BatchNumber batch) const;

  Rotation senders_;
  Rotation receivers_;
  std::size_t width_;      // replicas of the destination
  std::size_t walk_room_;  // no walk is longer: each attempt but the last uses up a replica
  std::size_t longest_ = 0;
  std::vector<std::uint8_t> lengths_;  // by start: sender * width_ + receiver; 0 where none starts
  std::vector<Pair> pairs_;            // by start * walk_room_ + attempt
};

}  // namespace mallard::bridge
