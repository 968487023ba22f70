// Where the entries of a journal lie: a ring over their indices, with a fixed number of places.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/zeroed_array.h"
#include "rsm/replica/journal/entry.h"

namespace mallard::rsm::journal {

struct EntryLocation {
  std::uint64_t lsn = 0;  // of the record; 0: damaged, and nothing else here means anything
  Term term;
  Epoch epoch;
  std::uint32_t body_bytes = 0;
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;  // of the record's head
};

// Holds the indices front + 1 ... last without a gap; some of them may be damaged.
class EntryTable {
 public:
  // Room for `entries_max` places of 40 bytes, at least 1; those that were never used take no memory.
  explicit EntryTable(std::size_t entries_max);

  [[nodiscard]] EntryIndex front() const { return front_; }
  [[nodiscard]] EntryIndex last() const { return last_; }
  [[nodiscard]] bool full() const { return last_.value - front_.value == places_.size(); }
  [[nodiscard]] bool holds(EntryIndex index) const { return index > front_ && index <= last_; }
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

  // Empty, with `front` as the last index before it.
  void reset(EntryIndex front);
  // The location of last + 1. Must not be full.
  void push(const EntryLocation& location);
  // Drops every entry after `last`; nothing if there is none.
  void cut_after(EntryIndex last);
  // Drops every entry up to `front`, which must not be after last.
  void drop_front(EntryIndex front);
  // An index that it holds.
  [[nodiscard]] const EntryLocation& at(EntryIndex index) const;
  void replace(EntryIndex index, const EntryLocation& location);

  // The first index up to `through` whose record is damaged or has an lsn above `synced`; through + 1 if
  // there is none.
  [[nodiscard]] EntryIndex first_unsafe(EntryIndex through, std::uint64_t synced);

 private:
  [[nodiscard]] std::size_t place_of(EntryIndex index) const { return index.value % places_.size(); }

  ZeroedArray<EntryLocation> places_;
  EntryIndex front_;
  EntryIndex last_;
  std::uint64_t damaged_ = 0;
  EntryIndex safe_below_{1};  // no index from front_ on and below this one is unsafe, if durable at all
};

}  // namespace mallard::rsm::journal
