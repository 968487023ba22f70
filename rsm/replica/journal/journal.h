// The durable log of one replica, and what the replica must not forget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "config/base/bytes.h"
#include "config/base/fixed_vector.h"
#include "rsm/replica/journal/disk.h"
#include "rsm/replica/journal/entry.h"
#include "rsm/replica/journal/entry_table.h"
#include "rsm/replica/journal/journal_problem.h"
#include "rsm/replica/journal/record.h"
#include "rsm/replica/journal/segment_set.h"
#include "rsm/replica/journal/superblock_pair.h"
#include "rsm/replica/journal/witness.h"

namespace mallard::rsm::journal {

// All of them may change between two openings of a store, as long as what is stored still fits. The disk
// holds at most segment_bytes x (segments_max + 1) and 16 KiB, memory 40 x entries_max + 2 x group_bytes_max,
// and one segment while the journal is opened.
struct JournalSettings {
  std::uint32_t segment_bytes = 16U << 20;    // a multiple of 4096; must stay what the store was made with
  std::uint32_t segments_max = 64;            // at least 3; one of them is kept for repairs
  std::uint32_t entries_max = 1U << 17;       // between the front and the last entry; at least 1
  std::uint32_t group_bytes_max = 1U << 20;   // a multiple of 4096, below segment_bytes
  std::uint32_t body_bytes_max = 512U << 10;  // with a head of 116 bytes it fits into a group
};

// Random numbers for the case that a new store or a new incarnation is needed. Never the same twice.
struct FreshIdentity {
  StoreId store;
  Incarnation incarnation;
};

// Why a store does not know everything that its replica may have promised. Each makes it a new incarnation
// with Promises::may_vote false (reliability.md I7, I9).
enum class AmnesiaCause : std::uint8_t {
  none,
  fresh_store,           // the directory was empty
  superblock_lost,       // one of the superblocks cannot be read, or the two do not belong together
  superblock_regressed,  // records know a newer superblock than the two that are there
  tail_lost,             // durable records are missing at the end of the log
};

// What opening found.
struct Recovered {
  AmnesiaCause amnesia = AmnesiaCause::none;
  std::uint64_t entries_damaged = 0;  // to be repaired
  std::uint64_t bytes_cut = 0;        // written after the last record that counts, and cleared
};

enum class AppendOutcome : std::uint8_t {
  accepted,
  group_full,    // sync() first, then again
  journal_full,  // no room until truncate_front() makes some
  not_next,      // the index would leave a gap, or is not after the front
  committed,     // it would replace an entry up to commit()
  too_large,     // the body exceeds body_bytes_max
  dead,          // see failure()
};

// Entries from `from` through `to` were written and cannot be read any more.
struct DamagedRange {
  EntryIndex from;
  EntryIndex to;
  friend bool operator==(const DamagedRange&, const DamagedRange&) = default;
};
inline constexpr std::size_t damaged_ranges_max = 16;

enum class ReadFault : std::uint8_t {
  absent,   // not after the front, or not durable
  damaged,  // to be repaired; also counted in damaged()
};

// One thread; calls that touch the disk block. After the first system call that failed while writing, the
// journal is dead: every later call answers with the same error, nothing is tried again (I5), and the process
// is to end; what counts is what the next one reads from the disk.
//
// Entries are written in groups: append() copies into memory, sync() writes the group and makes it durable
// with one call. Records are only ever added: a replaced suffix and a repaired entry are new records that
// supersede old ones, so no byte that was durable is written again before its segment is recycled.
class Journal {
 public:
  // Opens the store in `disk`, or makes one in an empty directory. `disk` must outlive the journal. Decides
  // what of the log counts (log_replay.h), clears what does not, and writes a superblock of a new generation.
  // Allocates everything that the journal will need.
  [[nodiscard]] static JournalResult<std::unique_ptr<Journal>> open(Disk& disk,
                                                                    const JournalSettings& settings,
                                                                    const FreshIdentity& fresh);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  // Does not sync.
  ~Journal() = default;

  [[nodiscard]] const Recovered& recovered() const { return recovered_; }

  // --- The log

  // Adds the entry last() + 1, or replaces every entry from `entry.index` on, none of which may be committed.
  // Copies the body. Not durable before sync(). Allocates nothing and does not touch the disk.
  [[nodiscard]] AppendOutcome append(const Entry& entry);
  // Writes a damaged entry again, with what peers have committed at its index. It counts as damaged until
  // sync(). `not_next` unless the index is after the front and not after last().
  [[nodiscard]] AppendOutcome repair(const Entry& entry);
  // Makes everything appended durable and returns durable(). Allocates nothing, unless the disk fails.
  [[nodiscard]] JournalResult<EntryIndex> sync();

  // Entries up to the front are not kept; 0 at first.
  [[nodiscard]] EntryIndex front() const { return table_.front(); }
  // The last entry that was appended.
  [[nodiscard]] EntryIndex last() const { return table_.last(); }
  // Every entry from the front through this one is durable and, as far as known, readable: what may be
  // acknowledged. Goes back when a suffix is replaced or damage is found.
  [[nodiscard]] EntryIndex durable();
  // The term of an entry after the front that is not damaged; 0 for others.
  [[nodiscard]] Term term_of(EntryIndex index) const;

  // The highest mark given by set_commit that was durable at the opening, or given since. It may lie after
  // last() when the tail was lost.
  [[nodiscard]] EntryIndex commit() const { return commit_; }
  // Entries up to `index` will never be replaced. The mark becomes durable with the next group or promise, as
  // far as the entries are. It does not go back before a restart_after(); a lower one is ignored.
  void set_commit(EntryIndex index);

  // Reads an entry and verifies it. The body stays valid until the next call of read().
  [[nodiscard]] Result<Entry, ReadFault> read(EntryIndex index);

  // How many entries are damaged, repaired ones that wait for sync() not included.
  [[nodiscard]] std::uint64_t entries_damaged() const { return table_.damaged(); }
  // The first of their ranges.
  [[nodiscard]] FixedVector<DamagedRange, damaged_ranges_max> damaged() const;

  // --- What must not be forgotten

  [[nodiscard]] const Promises& promises() const { return pair_.newest().promises; }
  // Returns once the promises are durable: no message may say them before (I8). The term must not go back.
  [[nodiscard]] JournalResult<void> promise(const Promises& promises);

  [[nodiscard]] const SnapshotPosition& snapshot() const { return pair_.newest().snapshot; }
  // The snapshot itself is durable already. Not after commit(), and not before the snapshot so far.
  [[nodiscard]] JournalResult<void> set_snapshot(const SnapshotPosition& snapshot);
  // Forgets the entries up to `index`, which must not be after the snapshot, as far as they are durable, and
  // recycles their segments. A segment that becomes the next is cleared here, so that append and sync need
  // not wait for it.
  [[nodiscard]] JournalResult<void> truncate_front(EntryIndex index);
  // Forgets all entries: the log goes on after `snapshot`, which came from a peer and is durable already.
  [[nodiscard]] JournalResult<void> restart_after(const SnapshotPosition& snapshot);
  // Prepares the next segment now instead of in a sync() later. For idle moments.
  [[nodiscard]] JournalResult<void> prepare_segment();

  // --- Who this store is

  [[nodiscard]] Witness witness() const;
  // True if this directory, or one of its files, is an older copy of the store that a peer has seen: at the
  // opening it had an older incarnation, no newer superblock, or fewer durable records, than `seen` says. The
  // replica then calls become_amnesiac() before anything else.
  [[nodiscard]] bool is_older_than(const Witness& seen) const;
  // Makes a new incarnation of the store: its promises may be incomplete, so it may not vote.
  [[nodiscard]] JournalResult<void> become_amnesiac(Incarnation fresh);

  // Where the journal lives. Files of other names may lie beside it.
  [[nodiscard]] Disk& disk() { return disk_; }

  // Why the journal is dead; nothing while it lives.
  [[nodiscard]] const std::optional<JournalError>& failure() const { return failure_; }

 private:
  class Opening;

  Journal(Disk& disk, const JournalSettings& settings);

  // Where the group that is being filled will lie.
  struct Group {
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    std::uint32_t bytes = 0;  // 0: no group is open
    // Not 0: it opens a new segment, and this is the lsn of that segment's mark. The mark tells what the log
    // was before the group.
    std::uint64_t mark_lsn = 0;
    std::uint64_t lsn_before = 0;
    EntryIndex last_before;
    EntryIndex commit_before;  // what is committed since may be entries of the group
    std::uint64_t cut_before = 0;
  };

  [[nodiscard]] AppendOutcome reserve(std::size_t bytes, std::size_t segments_kept);
  [[nodiscard]] bool open_group(std::size_t bytes, std::size_t segments_kept);
  void add(RecordKind kind, const Entry& entry);
  [[nodiscard]] JournalResult<void> write_group();
  [[nodiscard]] JournalResult<void> open_segment();
  // The superblock as things are; store() makes it durable.
  [[nodiscard]] Superblock superblock() const;
  [[nodiscard]] JournalResult<void> store(const Superblock& superblock);
  // Keeps the first failure and passes it on.
  [[nodiscard]] JournalResult<void> noted(JournalResult<void> result);

  Disk& disk_;
  JournalSettings settings_;
  SuperblockPair pair_;
  SegmentSet segments_;
  EntryTable table_;
  Recovered recovered_;
  std::optional<JournalError> failure_;

  Group group_;
  std::vector<std::byte> group_bytes_;
  std::vector<std::byte> scratch_;  // one record, for read(); a mark and its filler, for a new segment
  std::uint64_t next_lsn_ = 1;
  std::uint64_t last_lsn_ = 0;  // of the last record, durable or not
  std::uint64_t synced_lsn_ = 0;
  std::uint64_t cut_lsn_ = 0;
  std::uint32_t tail_offset_ = 0;  // of the next group in the last segment; segment_bytes: it is closed
  EntryIndex commit_;
  EntryIndex synced_;  // entries up to here are durable or damaged
  Witness opening_;
};

}  // namespace mallard::rsm::journal
