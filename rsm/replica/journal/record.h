// The bytes of one record in a segment. Little-endian, at a multiple of 8:
//
//   head   u32 marker and kind, u32 body bytes, u32 epoch, then u64 each: lsn, previous, index, term,
//          commit, last, cut, synced, generation; 16 bytes of the digest of the body; 16 bytes of the digest
//          of the store's id, the segment's number, the record's offset and all of the head so far: 116 bytes
//   body   and as many filler bytes as complete a multiple of 8
//
// So a record that was written to another place, for another store or in another life of a recycled file does
// not verify where it is found (reliability.md I4). The digest is BLAKE2b, not CRC32C: a client chooses the
// bodies, and a scan for the next record after a damaged one looks into them; without the store's id nobody
// can write a body that passes for a record. A head with its place is exactly one block of BLAKE2b.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "rsm/replica/journal/entry.h"

namespace mallard::rsm::journal {

inline constexpr std::size_t record_head_bytes = 116;
inline constexpr std::size_t record_alignment = 8;
// Fills what a group leaves of its last sector: never 0, so that a sector of zeros was not written.
inline constexpr std::byte filler{0x5A};

enum class RecordKind : std::uint32_t {
  entry = 1,   // the next entry, or one that replaces an uncommitted suffix
  repair = 2,  // an entry whose first record was damaged; nothing is replaced
  mark = 3,    // no entry: the first record of a segment
};

struct Record {
  RecordKind kind = RecordKind::mark;
  std::uint32_t body_bytes = 0;
  Epoch epoch;
  // Number of the record in its store: greater than that of any record before, and never given twice, not
  // even where the log was cut in between.
  std::uint64_t lsn = 0;
  std::uint64_t previous = 0;  // lsn of the record before it in the log; 0: none
  EntryIndex index;            // 0 in a mark
  Term term;                   // 0 in a mark
  EntryIndex commit;           // every entry up to here was committed when the record was written
  EntryIndex last;             // the log's last entry after this record
  std::uint64_t cut = 0;  // lsn of the latest record that replaced a suffix, this one included; 0 if none has
  std::uint64_t synced = 0;      // every record up to this lsn was durable when this one was written
  std::uint64_t generation = 0;  // of the superblock when it was written
  friend bool operator==(const Record&, const Record&) = default;
};

// Where a record lies.
struct RecordPlace {
  StoreId store;
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;
};

using ShortDigest = std::array<std::byte, 16>;

struct RecordHead {
  Record record;
  ShortDigest body_digest{};
};

// Bytes of a record with its head and filler.
[[nodiscard]] constexpr std::size_t record_bytes(std::size_t body_bytes) {
  return (record_head_bytes + body_bytes + record_alignment - 1) / record_alignment * record_alignment;
}

// Writes record_bytes(body.size()) bytes to the front of `out`. record.body_bytes is taken from `body`.
void write_record(const Record& record, const RecordPlace& place, ByteView body, ByteSpan out);

// The head at the front of `bytes`; nothing unless it was written as one for this place. Any bytes.
[[nodiscard]] std::optional<RecordHead> read_record_head(ByteView bytes, const RecordPlace& place);

[[nodiscard]] bool body_matches(const RecordHead& head, ByteView body);

}  // namespace mallard::rsm::journal
