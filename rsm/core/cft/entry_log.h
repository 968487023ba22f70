// This replica's log: what lies in its ring from the last decided entry on, and what its journal has of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/bytes.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/log_entry.h"
#include "rsm/core/cft/members.h"
#include "rsm/core/cft/memory_layout.h"

namespace mallard::rsm::cft {

class EntryLog {
 public:
  // `window` entries at most are undecided. All memory is allocated here.
  EntryLog(const MemoryLayout& layout, std::size_t window, const LogMark& stable);

  // The decided log ends here.
  [[nodiscard]] const LogMark& stable() const { return stable_; }
  // The log ends here, as far as it has been read or written.
  [[nodiscard]] const LogMark& end() const { return count_ == 0 ? stable_ : mark(count_ - 1); }
  [[nodiscard]] std::size_t undecided() const { return count_; }
  [[nodiscard]] bool full() const { return count_ == marks_.size(); }

  // Forgets what was read beyond the decided part; the journal's part stays known.
  void reread() { count_ = agreed_ = 0; }
  // Begins anew behind a snapshot.
  void restart(const LogMark& stable);

  // What happens at a full window: nothing is read, or the entry shares the boundary of the one before, so
  // that both are decided together. (Reigns that decide nothing leave an entry each: no number of places is
  // enough for them.)
  enum class WhenFull : std::uint8_t { stop, share };
  // Reads the next entry of the ring, if it is there, continues the chain, is no younger than `newest` and
  // ends by `limit`.
  std::optional<Entry> read_next(ByteView log, Ballot newest, Lsn limit, WhenFull when_full = WhenFull::stop);
  // Writes the next entry; the caller has made sure of room. An entry does not go round the ring's end: a
  // filler goes before it where needed. At a full window it shares the boundary before. Returns its end.
  LogMark append(ByteSpan log, EntryKind kind, Ballot ballot, ByteView payload);
  // What an entry with so much payload takes, the filler included.
  [[nodiscard]] std::uint64_t cost(std::uint64_t payload) const;
  // The end of what can be read after `from` without keeping it: chained, no younger than `newest`, and
  // ending by `limit`.
  [[nodiscard]] LogMark walk(ByteView log, LogMark from, Ballot newest, Lsn limit) const;

  // Everything read that ends at or before `lsn` is decided. Returns how many entries that is.
  std::size_t decide(Lsn lsn);

  // Up to here the journal was ordered to have what has been read.
  [[nodiscard]] Lsn journaled() const;
  // From where to where the journal must be told anew so that it has all that was read; from == to: nowhere.
  // Marks it as told.
  struct Range {
    Lsn from = 0;
    Lsn to = 0;
  };
  Range take_unjournaled();
  // All that was read is in the journal already (at the start).
  void trust_journal();

  // For explorers: equal logs have equal digests.
  [[nodiscard]] std::uint64_t digest() const;

 private:
  [[nodiscard]] const LogMark& mark(std::size_t i) const { return marks_[(first_ + i) % marks_.size()]; }
  [[nodiscard]] LogMark& mark(std::size_t i) { return marks_[(first_ + i) % marks_.size()]; }
  [[nodiscard]] const LogMark& journal_mark(std::size_t i) const {
    return journal_[(journal_first_ + i) % journal_.size()];
  }
  void push(const LogMark& end);
  // How many undecided entries the journal has as they were read.
  [[nodiscard]] std::size_t agreed() const;

  MemoryLayout layout_;
  LogMark stable_;
  std::vector<LogMark> marks_;  // a ring: ends of undecided entries
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::vector<LogMark> journal_;  // the same, as the journal was last told
  std::size_t journal_first_ = 0;
  std::size_t journal_count_ = 0;
  mutable std::size_t agreed_ = 0;  // a lower bound of agreed()
};

}  // namespace mallard::rsm::cft
