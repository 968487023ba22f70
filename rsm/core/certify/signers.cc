#include "rsm/core/certify/signers.h"

namespace mallard::rsm::certify {

Weight Signers::weight_of(ReplicaSet some) const {
  Weight sum = 0;
  for (; some != 0; some &= some - 1) {
    sum += weight(lowest(some));
  }
  return sum;
}

bool Signers::is_enough(ReplicaSet some) const { return weight_of(some) >= roster.threshold(); }

ReplicaIndex Signers::choose(ReplicaSet some) const {
  const ReplicaSet trusted = some & ~suspects;
  ReplicaSet rest = trusted != 0 ? trusted : some;
  ReplicaIndex best = lowest(rest);
  for (rest &= rest - 1; rest != 0; rest &= rest - 1) {
    if (weight(lowest(rest)) > weight(best)) best = lowest(rest);
  }
  return best;
}

}  // namespace mallard::rsm::certify
