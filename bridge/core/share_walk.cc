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
    : senders_(source),
      receivers_(destination),
      width_(destination.size()),
      walk_room_(source.size() + destination.size()),
      lengths_(source.size() * destination.size()),
      pairs_(lengths_.size() * walk_room_) {
  for (std::uint16_t sender = 0; sender < source.size(); ++sender) {
    for (std::uint16_t receiver = 0; receiver < width_; ++receiver) {
      if (senders_.slots_of(ReplicaIndex(sender)) > 0 && receivers_.slots_of(ReplicaIndex(receiver)) > 0) {
        plan(source, destination, sender * width_ + receiver);
      }
    }
  }
}

void ShareWalk::plan(const ClusterView& source, const ClusterView& destination, std::size_t start) {
  const Shares needed = static_cast<Shares>(source.u) * destination.total() +
                        static_cast<Shares>(destination.u) * source.total() + 1;
  Ring sender(source, destination.total(), start / width_);
  Ring receiver(destination, source.total(), start % width_);
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

std::size_t ShareWalk::start_of(BatchNumber batch) const {
  const std::uint64_t turn = batch.value - 1;
  const std::uint64_t slot = turn % senders_.slots();
  const std::uint64_t quantum = turn / senders_.slots();
  const ReplicaIndex sender = senders_.at(slot);
  const ReplicaIndex receiver = receivers_.at((slot + quantum) % receivers_.slots());
  return sender.value * width_ + receiver.value;
}

Pair ShareWalk::first(BatchNumber batch) const { return pairs_[start_of(batch) * walk_room_]; }

std::size_t ShareWalk::length(BatchNumber batch) const { return lengths_[start_of(batch)]; }

Pair ShareWalk::pair(BatchNumber batch, std::size_t attempt) const {
  const std::size_t start = start_of(batch);
  MALLARD_INVARIANT(attempt < lengths_[start]);
  return pairs_[start * walk_room_ + attempt];
}

}  // namespace mallard::bridge
