// How the engine divides the memory that replicas share: alike in all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "config/contract/one_sided.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/card.h"

namespace mallard::rsm::cft {

// Written by the one leader that its owner granted it to: control words, then the ring of entries.
inline constexpr memory::RegionIndex log_region{0};
// The owner's card; all read it, the owner writes it through its link to itself.
inline constexpr memory::RegionIndex status_region{1};
// One card from each process, at its index; each process writes its own place.
inline constexpr memory::RegionIndex mail_region{2};
// Where the owner's reads land: a card of each process, then a piece of a log. Nobody else sees it.
inline constexpr memory::RegionIndex scratch_region{3};
inline constexpr std::size_t regions_used = 4;

// Control words, at the beginning of the log region. The leader writes them after the entries they speak of,
// over the same link.
inline constexpr std::uint64_t control_bytes = 64;
inline constexpr std::uint64_t stable_word = 0;     // the leader has the log decided up to here
inline constexpr std::uint64_t caught_up_word = 8;  // a ballot: all of its leader's log at some time is here

struct MemoryLayout {
  std::size_t processes = 0;
  std::uint64_t ring_bytes = 0;
  std::uint64_t chunk_bytes = 0;

  // Where in the log region a position of the log lies.
  [[nodiscard]] std::uint64_t log_offset(Lsn lsn) const { return control_bytes + lsn % ring_bytes; }
  // Bytes from that position to the ring's end.
  [[nodiscard]] std::uint64_t until_wrap(Lsn lsn) const { return ring_bytes - lsn % ring_bytes; }
  [[nodiscard]] static std::uint64_t mail_offset(memory::ProcessIndex from) {
    return from.value * card_bytes;
  }
  [[nodiscard]] static std::uint64_t pulled_offset(memory::ProcessIndex of) { return of.value * card_bytes; }
  [[nodiscard]] std::uint64_t chunk_offset() const { return processes * card_bytes; }

  // What a regrant of the log region must carry over for the log in [from, to): at most the whole ring.
  // Where that goes round the ring's end, the control words in between come along.
  [[nodiscard]] memory::LiveRange live(Lsn from, Lsn to) const {
    const std::uint64_t bytes = to - from < ring_bytes ? to - from : ring_bytes;
    const bool wraps = bytes > until_wrap(from);
    if (wraps && bytes == ring_bytes) return {0, control_bytes + ring_bytes};
    return {log_offset(from), bytes + (wraps ? control_bytes : 0)};
  }
  [[nodiscard]] std::array<memory::RegionLayout, regions_used> regions() const {
    const memory::ProcessSet all = processes == memory::processes_max
                                       ? ~memory::ProcessSet{0}
                                       : (memory::ProcessSet{1} << processes) - 1;
    const std::uint64_t cards = processes * card_bytes;
    return {memory::RegionLayout{.bytes = control_bytes + ring_bytes, .readers = all, .granted = true},
            memory::RegionLayout{.bytes = card_bytes, .readers = all},
            memory::RegionLayout{.bytes = cards, .writers = all},
            memory::RegionLayout{.bytes = cards + chunk_bytes}};
  }
};

}  // namespace mallard::rsm::cft
