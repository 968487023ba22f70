// One entry of the replicated log, as it lies in one-sided memory and in the journal.
//
//   0  u32 checksum   CRC-32C of everything below it, begun with the checksum of the entry before (a chain)
//   4  u32 length     of the payload in bytes, with the kind in the top 4 bits
//   8  u64 lsn        the entry's position in the log
//  16  u64 ballot     of the leader that made it
//  24  u64 commit     how far that leader had the log committed; not beyond lsn
//  32     payload     then unused bytes up to a multiple of 64
//
// An entry is there if its lsn is the expected one and its checksum continues the chain. So nothing is ever
// zeroed when the ring comes round; no order of the words of one write is relied on; and what follows an
// entry is what its leader put there: two logs that have one entry in common are the same up to it. The bytes
// come from other processes: whatever they are, decoding reads only inside them and answers with a value.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/bytes.h"
#include "config/base/result.h"
#include "rsm/core/cft/ballot.h"

namespace mallard::rsm::cft {

enum class EntryKind : std::uint8_t {
  command = 1,  // the state machine's
  reign = 2,    // a new leader's first entry; no payload
  members = 3,  // a change of membership (members.h)
  filler = 4,   // the rest of the ring up to its end; the payload is neither written nor covered
};

inline constexpr std::uint64_t entry_header_bytes = 32;
inline constexpr std::uint64_t entry_alignment = 64;
inline constexpr std::uint32_t entry_payload_max = (1U << 28) - 1;

struct Entry {
  EntryKind kind = EntryKind::command;
  Lsn lsn = 0;
  Ballot ballot;
  Lsn commit = 0;
  ByteView payload;  // into the bytes that were decoded
  std::uint32_t checksum = 0;
  std::uint64_t bytes = 0;  // of the log that the entry takes

  [[nodiscard]] LogMark end() const { return {lsn + bytes, checksum, ballot}; }
};

enum class EntryFault : std::uint8_t {
  absent,     // another lsn: not written yet, or overwritten
  malformed,  // the right lsn, but a length, kind, ballot or commit that no leader writes
  torn,       // the checksum does not continue the chain: partly written, or another leader's
};

// What an entry with so much payload takes of the log.
[[nodiscard]] constexpr std::uint64_t entry_bytes(std::uint64_t payload) {
  return (entry_header_bytes + payload + entry_alignment - 1) / entry_alignment * entry_alignment;
}

// What a leader says in an entry; the fields are those of Entry.
struct EntryDraft {
  EntryKind kind = EntryKind::command;
  Ballot ballot;
  Lsn commit = 0;  // at most the lsn of `previous`
  ByteView payload;
};

// Writes the entry after `previous` to the front of `room`, which has entry_bytes(payload.size()) bytes at
// least; for a filler the payload is empty and all of `room` becomes the entry. Header words are written with
// one store each.
Entry encode_entry(ByteSpan room, const LogMark& previous, const EntryDraft& draft);

// The entry after `previous`, which begins at the front of `bytes`; it must end inside them. Others may write
// the bytes meanwhile: whatever is answered was there, all at once, in the header that the checksum covers.
[[nodiscard]] Result<Entry, EntryFault> decode_entry(ByteView bytes, const LogMark& previous);

}  // namespace mallard::rsm::cft
