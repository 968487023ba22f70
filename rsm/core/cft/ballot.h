// What orders leaders and log positions.
#pragma once

#include <cstdint>

#include "config/base/ids.h"
#include "config/contract/one_sided.h"

namespace mallard::rsm::cft {

// A reign: term << 16 | the leader's index, so that no two leaders share one and they have a total order
// (Paxos' proposal number; Mu, OSDI 2020, section 4). 0: none.
using Ballot = StrongId<struct BallotTag, std::uint64_t>;

[[nodiscard]] constexpr Ballot make_ballot(std::uint64_t term, memory::ProcessIndex leader) {
  return Ballot((term << 16) | leader.value);
}
[[nodiscard]] constexpr std::uint64_t term_of(Ballot ballot) { return ballot.value >> 16; }
[[nodiscard]] constexpr memory::ProcessIndex leader_of(Ballot ballot) {
  return memory::ProcessIndex(static_cast<std::uint16_t>(ballot.value & 0xffff));
}

// A position in the log: bytes since its beginning. It never wraps; its place in the ring is its remainder.
using Lsn = std::uint64_t;

// A boundary between two entries, and what came before it.
struct LogMark {
  Lsn lsn = 0;              // where the next entry begins
  std::uint32_t chain = 0;  // checksum of the entry before it, which covers all before that
  Ballot ballot;            // of the entry before it
  friend constexpr bool operator==(const LogMark&, const LogMark&) = default;
};

}  // namespace mallard::rsm::cft
