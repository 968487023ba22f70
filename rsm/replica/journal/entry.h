// What a journal keeps: the entries of one replica's log, by index.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "config/base/bytes.h"
#include "config/base/ids.h"

namespace mallard::rsm::journal {

// Place of an entry in the replicated log. The first entry is 1; 0 means "none yet".
using EntryIndex = StrongId<struct JournalEntryIndexTag, std::uint64_t>;
// A leader's reign. The first is 1; 0 means "none yet".
using Term = StrongId<struct JournalTermTag, std::uint64_t>;

struct Entry {
  EntryIndex index;
  Term term;      // of the leader that proposed it
  Epoch epoch;    // the membership under which it was proposed
  ByteView body;  // may be empty
};

// Names one store for as long as it exists: 16 random bytes, drawn when it is made. It goes into every
// checksum, so that a file of another store is never taken for one of this; nobody outside needs to know it.
struct StoreId {
  std::array<std::byte, 16> bytes{};
  friend constexpr auto operator<=>(const StoreId&, const StoreId&) = default;
};

}  // namespace mallard::rsm::journal
