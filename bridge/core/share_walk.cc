#include "bridge/core/share_walk.h"

#include <algorithm>
#include <array>

#include "config/base/invariant.h"
#include "config/base/limits.h"
#include "config/base/uint128.h"

namespace mallard::bridge {

namespace {

// Weights stay below 2^63, so a product stays below 2^126 and the sum of two below 2^127.
using Shares = Uint128;

struct Ring {
  std::array<Shares, replicas_max> left{};
  std::size_t size = 0;
  std::size_t at = 0;

  Ring(const ClusterView& cluster, Weight scale, std::size_t start) : size(cluster.size()), at(start) {
    for (std::size_t i = 0; i < size; ++i) {
      left[i] = static_cast<Shares>(cluster.weights[i]) * scale;
    }
  }
  void take(Shares count) {
    left[at] -= count;
    if (left[at] == 0) {
      at = (at + 1) % size;
    }
  }
};

}  // namespace

ShareWalk::ShareWalk(const ClusterView& source, const ClusterView& destination)
    : senders_(source.size()), receivers_(destination.size()), walk_room_(senders_ + receivers_) {
  lengths_.resize(senders_ * receivers_);
  pairs_.resize(lengths_.size() * walk_room_);
  const Shares needed = static_cast<Shares>(source.u) * destination.total() +
                        static_cast<Shares>(destination.u) * source.total() + 1;
  for (std::size_t start = 0; start < lengths_.size(); ++start) {
    Ring sender(source, destination.total(), start / receivers_);
    Ring receiver(destination, source.total(), start % receivers_);
    Shares used = 0;
    std::size_t length = 0;
    while (used < needed) {
      MALLARD_INVARIANT(length < walk_room_);
      pairs_[start * walk_room_ + length] = {ReplicaIndex(static_cast<std::uint16_t>(sender.at)),
                                             ReplicaIndex(static_cast<std::uint16_t>(receiver.at))};
      ++length;
      const Shares step = std::min(sender.left[sender.at], receiver.left[receiver.at]);
      used += step;
      sender.take(step);
      receiver.take(step);
    }
    lengths_[start] = static_cast<std::uint8_t>(length);
    longest_ = std::max(longest_, length);
  }
}

std::size_t ShareWalk::start_of(BatchNumber batch) const {
  const std::uint64_t turn = batch.value - 1;
  const std::uint64_t sender = turn % senders_;
  const std::uint64_t receiver = (sender + turn / senders_) % receivers_;
  return sender * receivers_ + receiver;
}

Pair ShareWalk::first(BatchNumber batch) const { return pairs_[start_of(batch) * walk_room_]; }

std::size_t ShareWalk::length(BatchNumber batch) const { return lengths_[start_of(batch)]; }

Pair ShareWalk::pair(BatchNumber batch, std::size_t attempt) const {
  MALLARD_INVARIANT(attempt < length(batch));
  return pairs_[start_of(batch) * walk_room_ + attempt];
}

}  // namespace mallard::bridge
