// Who counts, and what a majority of them is.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/contract/one_sided.h"

namespace mallard::rsm::cft {

// The members of the cluster in one epoch. Changes go through the log, one replica at a time, so that
// majorities of neighbouring epochs share a replica (Ongaro, "Consensus: bridging theory and practice", 2014,
// section 4.1).
struct Members {
  memory::ProcessSet set = 0;
  Epoch epoch{1};

  [[nodiscard]] constexpr bool has(memory::ProcessIndex process) const {
    return process.value < memory::processes_max && ((set >> process.value) & 1U) != 0;
  }
  [[nodiscard]] constexpr std::size_t count() const { return static_cast<std::size_t>(std::popcount(set)); }
  // More than half, whatever the number: 2 of 3, 3 of 4, 3 of 5.
  [[nodiscard]] constexpr std::size_t majority() const { return count() / 2 + 1; }
  [[nodiscard]] constexpr bool is_majority(memory::ProcessSet some) const {
    return static_cast<std::size_t>(std::popcount(some & set)) >= majority();
  }
  // With or without one replica, in the next epoch.
  [[nodiscard]] constexpr Members changed(memory::ProcessIndex process, bool added) const {
    const memory::ProcessSet bit = 1ULL << process.value;
    return {added ? set | bit : set & ~bit, epoch.next()};
  }
  friend constexpr bool operator==(const Members&, const Members&) = default;
};

inline constexpr std::size_t members_bytes = 16;

// The payload of an entry of kind `members`.
inline void encode_members(const Members& members, ByteSpan room) {
  ByteWriter writer(room);
  writer.write(members.set);
  writer.write(std::uint64_t{members.epoch.value});
}
// Nothing if no leader writes such a payload.
[[nodiscard]] inline std::optional<Members> decode_members(ByteView bytes) {
  ByteReader reader(bytes);
  const auto set = reader.read<std::uint64_t>();
  const auto epoch = reader.read<std::uint64_t>();
  if (!reader.ok() || reader.remaining() != 0 || set == 0 || epoch == 0 || epoch > UINT32_MAX) return {};
  return Members{set, Epoch(static_cast<std::uint32_t>(epoch))};
}

}  // namespace mallard::rsm::cft
