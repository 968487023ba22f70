#include "rsm/replica/journal/journal.h"

#include <algorithm>

#include "config/base/invariant.h"
#include "rsm/replica/journal/segment_scan.h"

namespace mallard::rsm::journal {

namespace {

constexpr std::size_t aligned(std::size_t bytes) {
  return (bytes + group_alignment - 1) / group_alignment * group_alignment;
}

}  // namespace

Journal::Journal(Disk& disk, const JournalSettings& settings)
    : disk_(disk),
      settings_(settings),
      pair_(disk),
      segments_(disk, settings.segment_bytes, settings.segments_max),
      table_(settings.entries_max),
      group_bytes_(settings.group_bytes_max),
      scratch_(std::max(record_bytes(settings.body_bytes_max), group_alignment)) {}

AppendOutcome Journal::append(const Entry& entry) {
  if (failure_) {
    return AppendOutcome::dead;
  }
  if (entry.body.size() > settings_.body_bytes_max) {
    return AppendOutcome::too_large;
  }
  if (entry.index <= front() || entry.index > last().next()) {
    return AppendOutcome::not_next;
  }
  const bool replaces = entry.index <= last();
  if (replaces && entry.index <= commit_) {
    return AppendOutcome::committed;
  }
  if (!replaces && table_.full()) {
    return AppendOutcome::journal_full;
  }
  if (const auto outcome = reserve(record_bytes(entry.body.size()), 1); outcome != AppendOutcome::accepted) {
    return outcome;
  }
  if (replaces) {
    const EntryIndex before(entry.index.value - 1);
    cut_lsn_ = next_lsn_;
    table_.cut_after(before);
    synced_ = std::min(synced_, before);
  }
  add(RecordKind::entry, entry);
  return AppendOutcome::accepted;
}

AppendOutcome Journal::repair(const Entry& entry) {
  if (failure_) {
    return AppendOutcome::dead;
  }
  if (entry.body.size() > settings_.body_bytes_max) {
    return AppendOutcome::too_large;
  }
  if (!table_.holds(entry.index)) {
    return AppendOutcome::not_next;
  }
  if (const auto outcome = reserve(record_bytes(entry.body.size()), 0); outcome != AppendOutcome::accepted) {
    return outcome;
  }
  add(RecordKind::repair, entry);
  return AppendOutcome::accepted;
}

AppendOutcome Journal::reserve(std::size_t bytes, std::size_t segments_kept) {
  if (group_.bytes == 0) {
    return open_group(bytes, segments_kept) ? AppendOutcome::accepted : AppendOutcome::journal_full;
  }
  const std::size_t room =
      std::min<std::size_t>(settings_.group_bytes_max, settings_.segment_bytes - group_.offset);
  return group_.bytes + bytes <= room ? AppendOutcome::accepted : AppendOutcome::group_full;
}

bool Journal::open_group(std::size_t bytes, std::size_t segments_kept) {
  const Superblock& newest = pair_.newest();
  const bool has_segment = newest.last_segment >= newest.first_segment;
  if (has_segment && tail_offset_ + bytes <= settings_.segment_bytes) {
    group_ = {.segment = newest.last_segment, .offset = tail_offset_};
    return true;
  }
  if (segments_.segments().size() + segments_kept >= settings_.segments_max) {
    return false;
  }
  group_ = {.segment = newest.last_segment + 1,
            .offset = static_cast<std::uint32_t>(group_alignment),
            .mark_lsn = next_lsn_,
            .lsn_before = last_lsn_,
            .last_before = last(),
            .commit_before = std::min(commit_, last()),
            .cut_before = cut_lsn_};
  last_lsn_ = next_lsn_++;
  return true;
}

void Journal::add(RecordKind kind, const Entry& entry) {
  const std::uint32_t offset = group_.offset + group_.bytes;
  const EntryIndex last_after = std::max(last(), entry.index);
  const Record record{.kind = kind,
                      .epoch = entry.epoch,
                      .lsn = next_lsn_,
                      .previous = last_lsn_,
                      .index = entry.index,
                      .term = entry.term,
                      .commit = std::min(commit_, last_after),
                      .last = last_after,
                      .cut = cut_lsn_,
                      .synced = synced_lsn_,
                      .generation = pair_.newest().generation};
  write_record(record, {.store = pair_.newest().store, .segment = group_.segment, .offset = offset},
               entry.body, ByteSpan(group_bytes_).subspan(group_.bytes));
  const EntryLocation location{.lsn = next_lsn_,
                               .term = entry.term,
                               .epoch = entry.epoch,
                               .body_bytes = static_cast<std::uint32_t>(entry.body.size()),
                               .segment = group_.segment,
                               .offset = offset};
  if (kind == RecordKind::repair) {
    table_.replace(entry.index, location);
  } else {
    table_.push(location);
  }
  if (Segment* segment = segments_.find(group_.segment); segment != nullptr) {
    segment->highest = std::max(segment->highest, last_after);
  }
  group_.bytes += static_cast<std::uint32_t>(record_bytes(entry.body.size()));
  last_lsn_ = next_lsn_++;
}

JournalResult<EntryIndex> Journal::sync() {
  if (!failure_ && group_.bytes != 0) {
    if (const auto written = noted(write_group()); written) {
      synced_lsn_ = last_lsn_;
      synced_ = last();
      group_ = {};
    }
  }
  if (failure_) {
    return Failure<JournalError>(*failure_);
  }
  return durable();
}

JournalResult<void> Journal::write_group() {
  const std::size_t bytes = aligned(group_.bytes);
  std::fill(group_bytes_.begin() + group_.bytes, group_bytes_.begin() + static_cast<std::ptrdiff_t>(bytes),
            filler);
  if (group_.mark_lsn != 0) {
    if (auto opened = open_segment(); !opened) {
      return opened;
    }
  }
  const Segment* segment = segments_.find(group_.segment);
  MALLARD_INVARIANT(segment != nullptr);
  const FileName name = segment_name(group_.segment);
  if (auto written =
          explained(disk_.write(segment->file, group_.offset, ByteView(group_bytes_).first(bytes)), name);
      !written) {
    return written;
  }
  if (auto synced = explained(disk_.sync(segment->file), name); !synced) {
    return synced;
  }
  tail_offset_ = group_.offset + static_cast<std::uint32_t>(bytes);
  return {};
}

JournalResult<void> Journal::open_segment() {
  const Record mark{.kind = RecordKind::mark,
                    .lsn = group_.mark_lsn,
                    .previous = group_.lsn_before,
                    .commit = group_.commit_before,
                    .last = group_.last_before,
                    .cut = group_.cut_before,
                    .synced = synced_lsn_,
                    .generation = pair_.newest().generation};
  const ByteSpan start = ByteSpan(scratch_).first(group_alignment);
  std::fill(start.begin(), start.end(), filler);
  write_record(mark, {.store = pair_.newest().store, .segment = group_.segment, .offset = 0}, {}, start);
  const auto segment = segments_.activate(group_.segment, start);
  if (!segment) {
    return Failure<JournalError>(segment.error());
  }
  (*segment)->lsn_before = group_.lsn_before;
  (*segment)->highest = last();
  // From here on the loss of the file is noticed, whatever it holds.
  Superblock next = superblock();
  next.last_segment = group_.segment;
  return pair_.write(next);
}

EntryIndex Journal::durable() { return EntryIndex(table_.first_unsafe(synced_, synced_lsn_).value - 1); }

Term Journal::term_of(EntryIndex index) const {
  return table_.holds(index) && table_.at(index).lsn != 0 ? table_.at(index).term : Term();
}

void Journal::set_commit(EntryIndex index) { commit_ = std::max(commit_, index); }

Result<Entry, ReadFault> Journal::read(EntryIndex index) {
  if (!table_.holds(index)) {
    return Failure<ReadFault>(ReadFault::absent);
  }
  const EntryLocation location = table_.at(index);
  if (location.lsn == 0) {
    return Failure<ReadFault>(ReadFault::damaged);
  }
  if (location.lsn > synced_lsn_) {
    return Failure<ReadFault>(ReadFault::absent);
  }
  const Segment* segment = segments_.find(location.segment);
  MALLARD_INVARIANT(segment != nullptr);
  const ByteSpan record = ByteSpan(scratch_).first(record_head_bytes + location.body_bytes);
  const auto got = disk_.read(segment->file, location.offset, record);
  const RecordPlace place{
      .store = pair_.newest().store, .segment = location.segment, .offset = location.offset};
  const auto head = got && *got == record.size() ? read_record_head(record, place) : std::nullopt;
  const ByteView body = ByteView(record).subspan(record_head_bytes);
  if (!head || head->record.index != index || head->record.lsn != location.lsn ||
      !body_matches(*head, body)) {
    table_.replace(index, {});
    return Failure<ReadFault>(ReadFault::damaged);
  }
  return Entry{.index = index, .term = location.term, .epoch = location.epoch, .body = body};
}

FixedVector<DamagedRange, damaged_ranges_max> Journal::damaged() const {
  FixedVector<DamagedRange, damaged_ranges_max> ranges;
  std::uint64_t left = table_.damaged();
  for (EntryIndex index = front().next(); left > 0 && index <= last(); index = index.next()) {
    if (table_.at(index).lsn != 0) {
      continue;
    }
    --left;
    if (!ranges.empty() && ranges.back().to.next() == index) {
      ranges.back().to = index;
    } else if (ranges.full()) {
      break;
    } else {
      ranges.push_back({index, index});
    }
  }
  return ranges;
}

Superblock Journal::superblock() const {
  Superblock next = pair_.newest();
  next.synced_lsn = synced_lsn_;
  next.commit = std::min(commit_, synced_);
  return next;
}

JournalResult<void> Journal::store(const Superblock& superblock) {
  if (failure_) {
    return Failure<JournalError>(*failure_);
  }
  return noted(pair_.write(superblock));
}

JournalResult<void> Journal::noted(JournalResult<void> result) {
  if (!result && !failure_) {
    failure_ = result.error();
  }
  return result;
}

JournalResult<void> Journal::promise(const Promises& promises) {
  MALLARD_INVARIANT(promises.term >= pair_.newest().promises.term);
  Superblock next = superblock();
  next.promises = promises;
  return store(next);
}

JournalResult<void> Journal::set_snapshot(const SnapshotPosition& snapshot) {
  MALLARD_INVARIANT(snapshot.index <= commit_ && snapshot.index >= pair_.newest().snapshot.index);
  Superblock next = superblock();
  next.snapshot = snapshot;
  return store(next);
}

JournalResult<void> Journal::truncate_front(EntryIndex index) {
  MALLARD_INVARIANT(index <= snapshot().index);
  index = std::min(index, synced_);
  if (failure_) {
    return Failure<JournalError>(*failure_);
  }
  if (index <= front()) {
    return {};
  }
  Superblock next = superblock();
  next.front = index;
  // The last segment stays, for it is written to.
  for (const Segment& segment : segments_.segments()) {
    next.first_segment = segment.number;
    next.start_after = segment.lsn_before;
    if (segment.highest > index || segment.number == next.last_segment) {
      break;
    }
  }
  next.start_after = std::max(next.start_after, pair_.newest().start_after);
  if (auto stored = store(next); !stored) {
    return stored;
  }
  table_.drop_front(index);
  return noted(segments_.recycle_before(next.first_segment));
}

JournalResult<void> Journal::restart_after(const SnapshotPosition& snapshot) {
  MALLARD_INVARIANT(snapshot.index >= front());
  last_lsn_ = synced_lsn_;
  group_ = {};
  cut_lsn_ = 0;
  commit_ = snapshot.index;
  Superblock next = superblock();
  next.commit = commit_;
  next.snapshot = snapshot;
  next.front = snapshot.index;
  next.start_after = last_lsn_;
  next.first_segment = next.last_segment + 1;
  if (auto stored = store(next); !stored) {
    return stored;
  }
  table_.reset(snapshot.index);
  synced_ = snapshot.index;
  return noted(segments_.recycle_before(next.first_segment));
}

JournalResult<void> Journal::prepare_segment() {
  if (failure_) {
    return Failure<JournalError>(*failure_);
  }
  return noted(segments_.prepare_spare());
}

Witness Journal::witness() const {
  const Superblock& newest = pair_.newest();
  return {.incarnation = newest.incarnation, .generation = newest.generation, .records = synced_lsn_};
}

bool Journal::is_older_than(const Witness& seen) const {
  if (seen.incarnation != opening_.incarnation) {
    return seen.incarnation > opening_.incarnation;
  }
  return opening_.generation <= seen.generation || opening_.records < seen.records;
}

JournalResult<void> Journal::become_amnesiac(Incarnation fresh) {
  Superblock next = superblock();
  next.incarnation = fresh;
  next.promises.may_vote = false;
  recovered_.amnesia = AmnesiaCause::superblock_regressed;
  return store(next);
}

}  // namespace mallard::rsm::journal
