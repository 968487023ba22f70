// What a store says about itself, in one sector of 512 bytes. Little-endian:
//
//   8 bytes "MALLARDS", u32 version, u16 slot, u16 copy, then the fields of Superblock in their order, zeros,
//   and in the last 32 bytes the digest of all before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "crypto/digest.h"
#include "rsm/replica/journal/entry.h"

namespace mallard::rsm::journal {

inline constexpr std::size_t superblock_bytes = 512;

// What this replica must not forget once a message has said it (reliability.md I8).
struct Promises {
  Epoch epoch;                  // the membership that this replica knows of
  Term term;                    // no leader of an older term is obeyed
  std::uint64_t grant = 0;      // number of the last permission given to write this replica's memory
  std::uint16_t voted_for = 0;  // replica + 1 that has this replica's vote in `term`; 0: none
  // False until the replica has read from the others what it might have promised in an earlier life: it
  // fetches, but neither votes, grants nor acknowledges (I9).
  bool may_vote = false;
  friend bool operator==(const Promises&, const Promises&) = default;
};

// The state after the entry `index` lies in a snapshot that the replica keeps elsewhere.
struct SnapshotPosition {
  EntryIndex index;
  Term term;              // of that entry
  crypto::Digest digest;  // of the snapshot
  friend bool operator==(const SnapshotPosition&, const SnapshotPosition&) = default;
};

struct Superblock {
  StoreId store;
  std::uint64_t generation = 0;  // 1, 2, 3 ...: each write is one more
  Incarnation incarnation;       // of the store
  Promises promises;
  SnapshotPosition snapshot;
  EntryIndex front;                 // entries up to here are not kept
  std::uint64_t start_after = 0;    // records up to this lsn are no part of the log
  std::uint64_t synced_lsn = 0;     // records up to here were durable
  EntryIndex commit;                // entries up to here were known to be committed
  std::uint32_t first_segment = 1;  // segments of the log: none as long as last_segment < first_segment
  std::uint32_t last_segment = 0;
  std::uint32_t openings = 0;       // how often the store was opened
  std::uint32_t segment_bytes = 0;  // of each segment's file, for as long as the store exists
  crypto::Digest previous;          // link_of the superblock one generation before; zeros in the first
  friend bool operator==(const Superblock&, const Superblock&) = default;
};

// Every record that is written after this many openings has a greater lsn, so that one that was cut off is
// not mistaken for one that was written later. Room for a million million records, and 16 million openings.
[[nodiscard]] constexpr std::uint64_t lsn_floor(std::uint32_t openings) {
  return std::uint64_t{openings} << 40U;
}

// The digest that the superblock of the next generation carries.
[[nodiscard]] crypto::Digest link_of(const Superblock& superblock);

// Where a copy of a superblock lies; it verifies nowhere else.
struct SuperblockPlace {
  std::uint16_t slot = 0;
  std::uint16_t copy = 0;
};

// Writes superblock_bytes bytes.
void write_superblock(const Superblock& superblock, SuperblockPlace place, ByteSpan out);
// Nothing unless these superblock_bytes bytes were written as a superblock for this place. Any bytes.
[[nodiscard]] std::optional<Superblock> read_superblock(ByteView bytes, SuperblockPlace place);

}  // namespace mallard::rsm::journal
