// The numbers that everything in Mallard is named by. Each is a type of its own with no implicit way to or
// from an integer, so that a batch number cannot be passed where a message number is meant.
#pragma once

#include <compare>
#include <cstdint>

namespace mallard {

// A strongly typed unsigned integer. `Tag` only makes the type distinct.
template <class Tag, class Rep>
struct StrongId {
  using Representation = Rep;
  Rep value = 0;

  constexpr StrongId() = default;
  explicit constexpr StrongId(Rep v) : value(v) {}
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

  [[nodiscard]] constexpr StrongId next() const { return StrongId(static_cast<Rep>(value + 1)); }
};

// Position of a cluster in the pairing's YAML file, 0-based, the same in every process of a pairing.
using ClusterIndex = StrongId<struct ClusterIndexTag, std::uint16_t>;
// Position of a replica in its cluster's list, 0-based; it is also its place in the rotation.
using ReplicaIndex = StrongId<struct ReplicaIndexTag, std::uint16_t>;
// Position of a link in the pairing's YAML file, 0-based.
using LinkIndex = StrongId<struct LinkIndexTag, std::uint16_t>;
// k': a message's number on a link. The first message is 1; 0 means "none yet".
using MessageNumber = StrongId<struct MessageNumberTag, std::uint64_t>;
// A batch's number on a link. The first batch is 1; 0 means "none yet".
using BatchNumber = StrongId<struct BatchNumberTag, std::uint64_t>;
// A membership configuration of one cluster; grows with each change. The first is 1.
using Epoch = StrongId<struct EpochTag, std::uint32_t>;
// One numbering of a link; a new one starts k' at 1 again. The first is 1.
using Generation = StrongId<struct GenerationTag, std::uint32_t>;
// The promotion count kept in an RSM's state; applies of an older fence are refused.
using Fence = StrongId<struct FenceTag, std::uint64_t>;
// One life of a process; drawn at start, never 0.
using Incarnation = StrongId<struct IncarnationTag, std::uint64_t>;

// A replica anywhere in the pairing.
struct ReplicaAddress {
  ClusterIndex cluster;
  ReplicaIndex replica;
  friend constexpr auto operator<=>(const ReplicaAddress&, const ReplicaAddress&) = default;
};

// Voting weight of a replica, or a sum of such weights. A cluster's total is below 2^63, so sums of two fit.
using Weight = std::uint64_t;

}  // namespace mallard
