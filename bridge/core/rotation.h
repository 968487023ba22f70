// In which order the replicas of a cluster take turns at a link, as senders or as receivers.
//
// Turns are by stake, not by head (Picsou section 5.2): a quantum of slots is apportioned among the replicas.
// Faulty replicas then hold up no larger a part of the first sends than their weight, into however many heads
// it is split. The paper leaves open how a quantum is ordered. Here the slots of a replica are spread evenly
// over it: whoever is owed a slot takes the next one, and among those the one who will first be owed another
// (earliest eligible virtual deadline first; Stoica and Abdel-Wahab, 1995). After each slot every replica has
// had what it was entitled to so far, to less than one slot, so that a faulty one never spoils a long run of
// batches. Replicas of equal stake simply follow each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/apportionment.h"
#include "bridge/core/cluster_view.h"
#include "config/base/ids.h"

namespace mallard::bridge {

class Rotation {
 public:
  // No quantum is longer. Stakes that reduce to a smaller total are met exactly, all others to one slot in
  // this many.
  static constexpr std::uint16_t slots_max = 1024;

  // Orders the quantum; the only allocation, a byte per slot.
  explicit Rotation(const ClusterView& cluster);

  // Slots of a quantum, 1 .. slots_max: the total of the stakes divided by their greatest common divisor, as
  // far as that is possible. As many as replicas where stakes are equal.
  [[nodiscard]] std::size_t slots() const { return order_.size(); }
  // Whose turn it is in a slot, 0 .. slots() - 1.
  [[nodiscard]] ReplicaIndex at(std::size_t slot) const { return ReplicaIndex(order_[slot]); }
  // How many slots of a quantum a replica has; 0 for one whose stake is next to nothing. Such a one never
  // comes first; resends still find it.
  [[nodiscard]] std::size_t slots_of(ReplicaIndex replica) const { return seats_[replica.value]; }

 private:
  Seats seats_;
  std::vector<std::uint8_t> order_;  // by slot
};

}  // namespace mallard::bridge
