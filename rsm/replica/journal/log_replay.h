// Decides what a log is from what its segments hold: what counts, what a crash cut short, what was damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "rsm/replica/journal/entry_table.h"
#include "rsm/replica/journal/segment_scan.h"
#include "rsm/replica/journal/superblock.h"

namespace mallard::rsm::journal {

struct SegmentItem {
  std::uint32_t segment = 0;
  ScanItem item;
};

struct ReplayOutcome {
  std::uint64_t last_lsn = 0;      // of the last record that counts
  std::uint64_t cut_lsn = 0;       // of the last of them that replaced a suffix
  EntryIndex commit;               // the highest commit mark of the superblock and of records
  std::uint32_t tail_segment = 0;  // where the last record that counts ends; 0: there is none
  std::uint32_t tail_offset = 0;
  // Records are missing at the end that were durable, or that a crash cannot have left as they are: what they
  // acknowledged is unknown.
  bool tail_lost = false;
  bool regressed = false;  // a record knows a newer superblock
  bool too_many = false;   // more entries than the table has places for; everything else is meaningless
};

// Rules (reliability.md I2, I3). Each record says which one was before it, and up to which lsn everything was
// durable when it was written; D is the highest such mark, that of the superblock included.
//   Records that are missing or bad where the log before them ends before D are damaged: what they held is
//   marked so in the table, never cut off.
//   A missing or bad record after D, with an unwritten sector, ends the log: only the last group that was
//   being written can look like that, and it was not acknowledged. A bad record after D without an unwritten
//   sector was written and has changed since: damaged too.
//   A record that an opening has cut off comes back only with an old copy of its file: the log ends before
//   it, and what it acknowledged since is lost.
// Which entries are missing in a gap is known from the records around it. Only where a suffix was replaced
// inside of the gap is more suspected than is missing: everything after what was committed before the gap.
class LogReplay {
 public:
  // `table` is reset to the superblock's front.
  LogReplay(const Superblock& superblock, EntryTable& table);

  // `items`: those of all segments, in order. Once.
  [[nodiscard]] ReplayOutcome run(std::span<const SegmentItem> items);

 private:
  // False when the log ends before it.
  [[nodiscard]] bool take(const SegmentItem& found);
  [[nodiscard]] bool bridge_gap(const Record& record);
  void apply(const SegmentItem& found, const Record& record);
  void put(EntryIndex index, const EntryLocation& location);
  // Makes every entry from `low` through `high` a damaged one, and drops those after.
  void suspect(EntryIndex low, EntryIndex high);

  EntryTable& table_;
  ReplayOutcome outcome_;
  std::uint64_t generation_;
  std::uint64_t cut_after_;  // records after this lsn and up to the floor were cut off by an opening
  std::uint64_t floor_;
  std::uint64_t durable_lsn_;     // D
  EntryIndex last_;               // of the log as replayed; may be below the table's front
  EntryIndex commit_of_records_;  // the highest commit mark of records so far
  bool first_ = true;             // no record has counted yet
  bool corrupt_before_ = false;   // bytes that changed after they were written, just before
};

}  // namespace mallard::rsm::journal
