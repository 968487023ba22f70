// The opening of a journal: from whatever a crash, a disk or an operator left to a log that can go on.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "rsm/replica/journal/journal.h"
#include "rsm/replica/journal/log_replay.h"
#include "rsm/replica/journal/segment_scan.h"

namespace mallard::rsm::journal {

namespace {

Failure<JournalError> settings_error(std::string what, std::string advice) {
  return Failure<JournalError>(
      JournalError{.fault = JournalFault::settings, .what = std::move(what), .advice = std::move(advice)});
}

JournalResult<void> check(const JournalSettings& settings) {
  const bool aligned = settings.segment_bytes % group_alignment == 0 &&
                       settings.group_bytes_max % group_alignment == 0 && settings.group_bytes_max > 0;
  const bool nested = settings.group_bytes_max < settings.segment_bytes &&
                      settings.body_bytes_max < settings.group_bytes_max &&
                      record_bytes(settings.body_bytes_max) <= settings.group_bytes_max;
  if (!aligned || !nested || settings.segments_max < 3 || settings.entries_max == 0) {
    return settings_error("the sizes of the journal contradict each other", "use the defaults");
  }
  return {};
}

bool is_segment(const FileName& name) { return segment_number(name.text()).has_value(); }

}  // namespace

class Journal::Opening {
 public:
  Opening(Journal& journal, const FreshIdentity& fresh) : journal_(journal), fresh_(fresh) {}

  [[nodiscard]] JournalResult<void> run();

 private:
  [[nodiscard]] JournalResult<void> make_store();
  [[nodiscard]] JournalResult<void> recover();
  [[nodiscard]] JournalResult<void> scan();
  void note(Segment& segment, const ScanItem& item);
  [[nodiscard]] JournalResult<void> check_table(const ReplayOutcome& outcome) const;
  [[nodiscard]] AmnesiaCause cause_of(const ReplayOutcome& outcome);
  [[nodiscard]] JournalResult<void> forget(AmnesiaCause cause);
  [[nodiscard]] JournalResult<void> settle(const ReplayOutcome& outcome);
  [[nodiscard]] JournalResult<void> clear_after(const Segment& segment, std::uint32_t offset);
  [[nodiscard]] JournalResult<void> finish(const ReplayOutcome& outcome);
  [[nodiscard]] JournalResult<void> remove_leftovers();

  Journal& journal_;
  FreshIdentity fresh_;
  std::vector<FileName> names_;
  std::vector<std::byte> buffer_;  // one segment
  std::vector<SegmentItem> items_;
  std::uint64_t last_lsn_ = 0;  // of the last record that the scan has seen
  std::uint32_t highest_number_ = 0;
};

JournalResult<std::unique_ptr<Journal>> Journal::open(Disk& disk, const JournalSettings& settings,
                                                      const FreshIdentity& fresh) {
  if (const auto checked = check(settings); !checked) {
    return Failure<JournalError>(checked.error());
  }
  std::unique_ptr<Journal> journal(new Journal(disk, settings));
  if (const auto opened = Opening(*journal, fresh).run(); !opened) {
    return Failure<JournalError>(opened.error());
  }
  journal->opening_ = journal->witness();
  return journal;
}

JournalResult<void> Journal::Opening::run() {
  const FileName directory(".");
  // Names that the process before this one changed may not be durable yet.
  if (auto synced = explained(journal_.disk_.sync_directory(), directory); !synced) {
    return synced;
  }
  auto names = explained(journal_.disk_.list(), directory);
  if (!names) {
    return Failure<JournalError>(names.error());
  }
  names_ = std::move(*names);
  if (auto loaded = journal_.pair_.load(); !loaded) {
    return loaded;
  }
  const PairState state = journal_.pair_.state();
  const bool has_log = std::any_of(names_.begin(), names_.end(), is_segment);
  if (state == PairState::unreadable || (state == PairState::none && has_log)) {
    return Failure<JournalError>(JournalError{
        .fault = JournalFault::damaged,
        .what = "neither of the files superblock.0 and superblock.1 can be read",
        .advice = "move the directory away and start with an empty one: the replica then fetches "
                  "everything from the others before it votes"});
  }
  return state == PairState::none ? make_store() : recover();
}

JournalResult<void> Journal::Opening::make_store() {
  journal_.recovered_.amnesia = AmnesiaCause::fresh_store;
  if (auto made = journal_.pair_.create({.store = fresh_.store,
                                         .incarnation = fresh_.incarnation,
                                         .segment_bytes = journal_.settings_.segment_bytes});
      !made) {
    return made;
  }
  return remove_leftovers();
}

JournalResult<void> Journal::Opening::recover() {
  const Superblock& newest = journal_.pair_.newest();
  if (newest.segment_bytes != journal_.settings_.segment_bytes) {
    return settings_error(fmt::format("the store's segments have {} bytes each, not {}", newest.segment_bytes,
                                      journal_.settings_.segment_bytes),
                          "start with the size that the store was made with");
  }
  if (auto scanned = scan(); !scanned) {
    return scanned;
  }
  LogReplay replay(newest, journal_.table_);
  const ReplayOutcome outcome = replay.run(items_);
  if (auto checked = check_table(outcome); !checked) {
    return checked;
  }
  journal_.recovered_.entries_damaged = journal_.table_.damaged();
  if (const AmnesiaCause cause = cause_of(outcome); cause != AmnesiaCause::none) {
    // Before what shows it is cleared away.
    if (auto forgotten = forget(cause); !forgotten) {
      return forgotten;
    }
  }
  if (auto settled = settle(outcome); !settled) {
    return settled;
  }
  if (auto finished = finish(outcome); !finished) {
    return finished;
  }
  return remove_leftovers();
}

JournalResult<void> Journal::Opening::scan() {
  const Superblock& newest = journal_.pair_.newest();
  SegmentSet& set = journal_.segments_;
  if (auto opened = set.open_all(names_, newest.first_segment); !opened) {
    return opened;
  }
  if (set.segments().size() > journal_.settings_.segments_max) {
    return settings_error(fmt::format("the store has {} segments, more than segments_max = {}",
                                      set.segments().size(), journal_.settings_.segments_max),
                          "allow as many as before");
  }
  buffer_.resize(set.segments().empty() ? 0 : journal_.settings_.segment_bytes);
  last_lsn_ = newest.start_after;
  highest_number_ = newest.last_segment;
  for (Segment& segment : set.segments()) {
    if (auto got = set.read_all(segment, buffer_); !got) {
      return got;
    }
    segment.lsn_before = last_lsn_;
    highest_number_ = std::max(highest_number_, segment.number);
    SegmentScan scan(buffer_, newest.store, segment.number);
    for (auto item = scan.next(); item; item = scan.next()) {
      note(segment, *item);
    }
  }
  return {};
}

void Journal::Opening::note(Segment& segment, const ScanItem& item) {
  items_.push_back({.segment = segment.number, .item = item});
  if (!item.head) {
    return;
  }
  const Record& record = item.head->record;
  if (item.offset == 0) {
    segment.lsn_before = record.previous;
    // What the segment before could not tell itself, if some of it is damaged.
    if (&segment != journal_.segments_.segments().data()) {
      Segment& before = *(&segment - 1);
      before.highest = std::max(before.highest, record.last);
    }
  }
  segment.highest = std::max(segment.highest, record.last);
  last_lsn_ = record.lsn;
}

JournalResult<void> Journal::Opening::check_table(const ReplayOutcome& outcome) const {
  const EntryTable& table = journal_.table_;
  bool too_large = false;
  for (EntryIndex index = table.front().next(); index <= table.last(); index = index.next()) {
    too_large = too_large || table.at(index).body_bytes > journal_.settings_.body_bytes_max;
  }
  if (outcome.too_many || too_large) {
    return settings_error(outcome.too_many ? "the store has more entries than entries_max"
                                           : "the store has entries larger than body_bytes_max",
                          "allow as many and as large ones as before");
  }
  return {};
}

AmnesiaCause Journal::Opening::cause_of(const ReplayOutcome& outcome) {
  const Superblock& newest = journal_.pair_.newest();
  if (journal_.pair_.state() == PairState::doubtful) {
    return AmnesiaCause::superblock_lost;
  }
  if (outcome.regressed) {
    return AmnesiaCause::superblock_regressed;
  }
  const bool last_file_lost =
      newest.last_segment >= newest.first_segment && journal_.segments_.find(newest.last_segment) == nullptr;
  return outcome.tail_lost || last_file_lost ? AmnesiaCause::tail_lost : AmnesiaCause::none;
}

JournalResult<void> Journal::Opening::forget(AmnesiaCause cause) {
  journal_.recovered_.amnesia = cause;
  Superblock next = journal_.pair_.newest();
  next.incarnation = fresh_.incarnation;
  next.promises.may_vote = false;
  return journal_.pair_.write(next);
}

// Clears what does not count, so that neither a later opening nor the records that come next can meet it, and
// makes durable what counts: the process before this one may have died before its sync.
JournalResult<void> Journal::Opening::settle(const ReplayOutcome& outcome) {
  const std::uint32_t tail = outcome.tail_segment;
  if (auto removed = journal_.segments_.remove_after(tail); !removed) {
    return removed;
  }
  if (tail == 0) {
    return {};
  }
  return clear_after(*journal_.segments_.find(tail), outcome.tail_offset);
}

JournalResult<void> Journal::Opening::clear_after(const Segment& segment, std::uint32_t offset) {
  const FileName name = segment_name(segment.number);
  if (auto got = journal_.segments_.read_all(segment, buffer_); !got) {
    return got;
  }
  const auto begin = buffer_.begin() + offset;
  const std::size_t boundary = (offset + group_alignment - 1) / group_alignment * group_alignment;
  const auto group_end = buffer_.begin() + static_cast<std::ptrdiff_t>(boundary);
  const bool group_is_whole = std::all_of(begin, group_end, [](std::byte byte) { return byte == filler; });
  const auto from = group_is_whole ? group_end : begin;
  auto end = buffer_.end();
  while (end != from && *(end - 1) == std::byte{0}) {
    --end;
  }
  journal_.recovered_.bytes_cut = static_cast<std::uint64_t>(end - from);
  // The log goes on behind this group: with an unwritten sector left in it, damage to what comes next would
  // be taken for a torn write.
  end = std::max(end, group_end);
  std::fill(from, group_end, filler);
  std::fill(group_end, end, std::byte{0});
  if (from != end) {
    const auto at = static_cast<std::size_t>(from - buffer_.begin());
    const ByteView cleared = ByteView(buffer_).subspan(at, static_cast<std::size_t>(end - from));
    if (auto written = explained(journal_.disk_.write(segment.file, at, cleared), name); !written) {
      return written;
    }
  }
  return explained(journal_.disk_.sync(segment.file), name);
}

JournalResult<void> Journal::Opening::finish(const ReplayOutcome& outcome) {
  journal_.last_lsn_ = outcome.last_lsn;
  journal_.synced_lsn_ = outcome.last_lsn;
  journal_.cut_lsn_ = outcome.cut_lsn;
  journal_.commit_ = outcome.commit;
  journal_.synced_ = journal_.table_.last();
  const std::size_t tail = (outcome.tail_offset + group_alignment - 1) / group_alignment * group_alignment;
  journal_.tail_offset_ = static_cast<std::uint32_t>(tail);
  Superblock next = journal_.superblock();
  ++next.openings;
  // An lsn that was given and then cut off is not given again.
  journal_.next_lsn_ = std::max(outcome.last_lsn, lsn_floor(next.openings)) + 1;
  next.last_segment = outcome.tail_segment;
  if (outcome.tail_segment == 0) {
    next.first_segment = highest_number_ + 1;
    next.last_segment = highest_number_;
    next.start_after = outcome.last_lsn;
  }
  if (journal_.pair_.is_ragged()) {
    if (auto written = journal_.pair_.write(next); !written) {
      return written;
    }
  }
  return journal_.pair_.write(next);
}

JournalResult<void> Journal::Opening::remove_leftovers() {
  const std::uint32_t first = journal_.pair_.newest().first_segment;
  bool changed = false;
  for (const FileName& name : names_) {
    const auto number = segment_number(name.text());
    if (name != spare_name() && (!number || *number >= first)) {
      continue;
    }
    const auto removed = journal_.disk_.remove(name);
    if (!removed && removed.error().fault != DiskFault::absent) {
      return explained(removed, name);
    }
    changed = true;
  }
  return changed ? explained(journal_.disk_.sync_directory(), FileName(".")) : JournalResult<void>{};
}

}  // namespace mallard::rsm::journal
