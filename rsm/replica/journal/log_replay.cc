#include "rsm/replica/journal/log_replay.h"

#include <algorithm>

namespace mallard::rsm::journal {

LogReplay::LogReplay(const Superblock& superblock, EntryTable& table)
    : table_(table),
      generation_(superblock.generation),
      cut_after_(superblock.synced_lsn),
      floor_(lsn_floor(superblock.openings)),
      durable_lsn_(superblock.synced_lsn),
      last_(superblock.front) {
  table_.reset(superblock.front);
  outcome_.last_lsn = superblock.start_after;
  outcome_.commit = superblock.commit;
}

ReplayOutcome LogReplay::run(std::span<const SegmentItem> items) {
  for (const SegmentItem& found : items) {
    if (found.item.head) {
      durable_lsn_ = std::max(durable_lsn_, found.item.head->record.synced);
    }
  }
  bool ended = false;
  for (const SegmentItem& found : items) {
    if (!found.item.head) {
      corrupt_before_ = corrupt_before_ || !found.item.unwritten;
      continue;
    }
    if (!take(found)) {
      ended = true;
      break;
    }
  }
  if (outcome_.last_lsn < durable_lsn_ || (corrupt_before_ && !outcome_.too_many)) {
    outcome_.tail_lost = true;
  }
  outcome_.too_many = outcome_.too_many && ended;
  return outcome_;
}

bool LogReplay::take(const SegmentItem& found) {
  const Record& record = found.item.head->record;
  if (record.lsn <= outcome_.last_lsn) {
    return true;  // before the start of the log
  }
  if (record.lsn > cut_after_ && record.lsn <= floor_) {
    outcome_.tail_lost = true;
    return false;
  }
  const bool gap = record.previous != outcome_.last_lsn;
  if (gap && outcome_.last_lsn >= durable_lsn_) {
    return false;
  }
  if (!found.item.body_matches && found.item.unwritten && record.lsn > durable_lsn_) {
    return false;
  }
  if (gap && !bridge_gap(record)) {
    return false;
  }
  if (first_ && !gap) {
    last_ = record.kind == RecordKind::entry ? EntryIndex(record.index.value - 1) : record.last;
    // Nothing, unless a segment before was lost and its entries were repaired further on.
    suspect(table_.front().next(), last_);
  }
  first_ = false;
  corrupt_before_ = false;
  apply(found, record);
  return !outcome_.too_many;
}

bool LogReplay::bridge_gap(const Record& record) {
  const EntryIndex certain =
      first_ ? table_.front() : (record.cut > outcome_.last_lsn ? commit_of_records_ : last_);
  const EntryIndex high = record.kind == RecordKind::entry ? EntryIndex(record.index.value - 1) : record.last;
  suspect(std::max(certain, table_.front()).next(), high);
  last_ = std::max(high, std::max(certain, table_.front()));
  return !outcome_.too_many;
}

void LogReplay::apply(const SegmentItem& found, const Record& record) {
  outcome_.regressed = outcome_.regressed || record.generation > generation_;
  outcome_.last_lsn = record.lsn;
  outcome_.cut_lsn = record.cut;
  outcome_.commit = std::max(outcome_.commit, record.commit);
  outcome_.tail_segment = found.segment;
  outcome_.tail_offset = found.item.offset + found.item.bytes;
  commit_of_records_ = std::max(commit_of_records_, record.commit);
  if (record.kind == RecordKind::mark) {
    return;
  }
  EntryLocation location{.lsn = record.lsn,
                         .term = record.term,
                         .epoch = record.epoch,
                         .body_bytes = record.body_bytes,
                         .segment = found.segment,
                         .offset = found.item.offset};
  if (!found.item.body_matches) {
    location = {};
  }
  if (record.kind == RecordKind::entry) {
    put(record.index, location);
  } else if (table_.holds(record.index) && found.item.body_matches) {
    table_.replace(record.index, location);
  }
}

void LogReplay::put(EntryIndex index, const EntryLocation& location) {
  last_ = index;
  if (index <= table_.front()) {
    table_.cut_after(table_.front());
    return;
  }
  const EntryIndex before(index.value - 1);
  table_.cut_after(before);
  suspect(table_.last().next(), before);
  if (outcome_.too_many || table_.full()) {
    outcome_.too_many = true;
    return;
  }
  table_.push(location);
}

void LogReplay::suspect(EntryIndex low, EntryIndex high) {
  table_.cut_after(EntryIndex(low.value - 1));
  while (table_.last() < high) {
    if (table_.full()) {
      outcome_.too_many = true;
      return;
    }
    table_.push({});
  }
}

}  // namespace mallard::rsm::journal
