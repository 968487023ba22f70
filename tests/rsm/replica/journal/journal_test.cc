#include "rsm/replica/journal/journal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "rsm/replica/journal/real_disk.h"
#include "tests/rsm/replica/journal/journal_model.h"
#include "tests/rsm/replica/journal/sim_disk.h"
#include "tests/support/alloc_guard.h"
#include "tests/support/scratch_directory.h"

namespace mallard::rsm::journal {
namespace {

constexpr JournalSettings small{.segment_bytes = 32768,
                                .segments_max = 4,
                                .entries_max = 100,
                                .group_bytes_max = 8192,
                                .body_bytes_max = 4096};

std::unique_ptr<Journal> open_journal(Disk& disk, std::uint64_t incarnation = 1) {
  auto opened = Journal::open(disk, small, {.store = {}, .incarnation = Incarnation(incarnation)});
  EXPECT_TRUE(opened) << opened.error().what;
  return std::move(*opened);
}

AppendOutcome append(Journal& journal, std::uint64_t index, std::size_t bytes = 100) {
  return journal.append(make_entry(index, EntryIndex(index), bytes).view());
}

TEST(Journal, keeps_entries_on_the_real_file_system) {
  const ScratchDirectory directory;
  for (int life = 0; life < 3; ++life) {
    auto disk = RealDisk::open_directory(directory.path());
    ASSERT_TRUE(disk);
    const auto journal = open_journal(**disk);
    for (std::uint64_t index = 1; index <= journal->last().value; ++index) {
      const auto entry = journal->read(EntryIndex(index));
      ASSERT_TRUE(entry);
      EXPECT_EQ(id_of(*entry), index);
    }
    for (int i = 0; i < 30; ++i) {
      ASSERT_EQ(append(*journal, journal->last().value + 1), AppendOutcome::accepted);
    }
    ASSERT_EQ(journal->sync().value(), journal->last());
    ASSERT_TRUE(journal->promise({.term = Term(journal->promises().term.value + 1), .may_vote = true}));
  }
  auto disk = RealDisk::open_directory(directory.path());
  const auto journal = open_journal(**disk);
  EXPECT_EQ(journal->durable(), EntryIndex(90));
  EXPECT_EQ(journal->promises().term, Term(3));
  EXPECT_EQ(journal->recovered().amnesia, AmnesiaCause::none);
}

TEST(Journal, nothing_is_durable_before_the_sync) {
  SimDisk disk(1);
  const auto journal = open_journal(disk);
  ASSERT_EQ(append(*journal, 1), AppendOutcome::accepted);
  EXPECT_EQ(journal->durable(), EntryIndex(0));
  EXPECT_EQ(journal->last(), EntryIndex(1));
  EXPECT_EQ(journal->read(EntryIndex(1)).error(), ReadFault::absent);
  ASSERT_EQ(journal->sync().value(), EntryIndex(1));
  EXPECT_TRUE(journal->read(EntryIndex(1)));
}

TEST(Journal, refuses_gaps_and_changes_of_what_is_committed) {
  SimDisk disk(1);
  const auto journal = open_journal(disk);
  EXPECT_EQ(append(*journal, 0), AppendOutcome::not_next);
  EXPECT_EQ(append(*journal, 2), AppendOutcome::not_next);
  ASSERT_EQ(append(*journal, 1), AppendOutcome::accepted);
  ASSERT_EQ(append(*journal, 2), AppendOutcome::accepted);
  journal->set_commit(EntryIndex(1));
  EXPECT_EQ(append(*journal, 1), AppendOutcome::committed);
  EXPECT_EQ(append(*journal, 2), AppendOutcome::accepted);
  EXPECT_EQ(append(*journal, 3, small.body_bytes_max + 1), AppendOutcome::too_large);
}

TEST(Journal, replaced_suffix_is_gone_after_a_restart) {
  SimDisk disk(1);
  auto journal = open_journal(disk);
  for (std::uint64_t index = 1; index <= 5; ++index) {
    ASSERT_EQ(append(*journal, index), AppendOutcome::accepted);
  }
  ASSERT_TRUE(journal->sync());
  ASSERT_EQ(journal->append(make_entry(77, EntryIndex(3), 50).view()), AppendOutcome::accepted);
  EXPECT_EQ(journal->last(), EntryIndex(3));
  EXPECT_EQ(journal->durable(), EntryIndex(2));
  ASSERT_EQ(journal->sync().value(), EntryIndex(3));
  journal.reset();
  disk.restart(SimDisk::Loss::everything);
  journal = open_journal(disk);
  EXPECT_EQ(journal->last(), EntryIndex(3));
  EXPECT_EQ(id_of(journal->read(EntryIndex(3)).value()), 77U);
}

TEST(Journal, asks_for_room_and_gets_it) {
  SimDisk disk(1);
  const auto journal = open_journal(disk);
  AppendOutcome outcome = AppendOutcome::accepted;
  while (outcome != AppendOutcome::journal_full) {
    outcome = append(*journal, journal->last().value + 1, 3000);
    if (outcome == AppendOutcome::group_full) {
      ASSERT_TRUE(journal->sync());
    }
  }
  ASSERT_TRUE(journal->sync());
  const EntryIndex through(journal->last().value - 2);
  journal->set_commit(through);
  ASSERT_TRUE(journal->set_snapshot({.index = through, .term = journal->term_of(through), .digest = {}}));
  ASSERT_TRUE(journal->truncate_front(through));
  EXPECT_EQ(journal->front(), through);
  EXPECT_EQ(journal->read(through).error(), ReadFault::absent);
  EXPECT_TRUE(journal->read(through.next()));
  EXPECT_EQ(append(*journal, journal->last().value + 1, 3000), AppendOutcome::accepted);
}

TEST(Journal, restarts_after_a_snapshot_from_a_peer) {
  SimDisk disk(1);
  auto journal = open_journal(disk);
  ASSERT_EQ(append(*journal, 1), AppendOutcome::accepted);
  ASSERT_TRUE(journal->sync());
  ASSERT_TRUE(journal->restart_after({.index = EntryIndex(1000), .term = Term(3), .digest = {}}));
  EXPECT_EQ(journal->durable(), EntryIndex(1000));
  ASSERT_EQ(append(*journal, 1001), AppendOutcome::accepted);
  ASSERT_TRUE(journal->sync());
  journal.reset();
  disk.restart(SimDisk::Loss::everything);
  journal = open_journal(disk);
  EXPECT_EQ(journal->front(), EntryIndex(1000));
  EXPECT_EQ(journal->last(), EntryIndex(1001));
  EXPECT_EQ(journal->snapshot().index, EntryIndex(1000));
}

// The numbers behind the snapshot are new ones: what was decided under the old ones says nothing of them.
TEST(Journal, marks_of_what_is_decided_end_with_the_numbers_that_they_are_of) {
  SimDisk disk(1);
  auto journal = open_journal(disk);
  for (std::uint64_t index = 1; index <= 3; ++index) {
    ASSERT_EQ(append(*journal, index), AppendOutcome::accepted);
  }
  journal->set_commit(EntryIndex(90));
  ASSERT_TRUE(journal->sync());
  ASSERT_TRUE(journal->restart_after({.index = EntryIndex(4), .term = Term(3), .digest = {}}));
  EXPECT_EQ(journal->commit(), EntryIndex(4));
  ASSERT_EQ(append(*journal, 5), AppendOutcome::accepted);
  ASSERT_EQ(append(*journal, 6), AppendOutcome::accepted);
  ASSERT_EQ(append(*journal, 5), AppendOutcome::accepted) << "it was not decided";
  ASSERT_TRUE(journal->sync());
  journal.reset();
  disk.restart(SimDisk::Loss::everything);
  journal = open_journal(disk);
  EXPECT_EQ(journal->last(), EntryIndex(5));
  EXPECT_EQ(journal->commit(), EntryIndex(4));
}

// A follower hears that an entry is decided before its own copy is durable.
TEST(Journal, a_superblock_says_nothing_of_entries_that_are_not_durable) {
  SimDisk disk(1);
  auto journal = open_journal(disk);
  ASSERT_EQ(append(*journal, 1), AppendOutcome::accepted);
  ASSERT_TRUE(journal->sync());
  ASSERT_EQ(append(*journal, 2), AppendOutcome::accepted);
  journal->set_commit(EntryIndex(2));
  ASSERT_TRUE(journal->promise({.term = Term(1), .may_vote = true}));
  journal.reset();
  disk.restart(SimDisk::Loss::everything);
  journal = open_journal(disk);
  EXPECT_EQ(journal->last(), EntryIndex(1));
  EXPECT_EQ(journal->commit(), EntryIndex(1));
}

TEST(Journal, dies_of_the_first_failure_and_stays_dead) {
  for (const DiskFault fault : {DiskFault::full, DiskFault::broken}) {
    SimDisk disk(1);
    const auto journal = open_journal(disk);
    ASSERT_EQ(append(*journal, 1), AppendOutcome::accepted);
    disk.fail_after(1, fault);
    EXPECT_FALSE(journal->sync());
    ASSERT_TRUE(journal->failure());
    EXPECT_EQ(journal->failure()->fault, JournalFault::machine);
    EXPECT_EQ(append(*journal, 2), AppendOutcome::dead);
    EXPECT_FALSE(journal->sync());
    EXPECT_FALSE(journal->promise({}));
    EXPECT_EQ(disk.changes_after_failure(), 0U);
  }
}

TEST(Journal, damage_found_by_reading_is_repaired) {
  SimDisk disk(1);
  const auto journal = open_journal(disk);
  for (std::uint64_t index = 1; index <= 3; ++index) {
    ASSERT_EQ(append(*journal, index), AppendOutcome::accepted);
    ASSERT_TRUE(journal->sync());
  }
  disk.make_unreadable("log.00000001", 2 * 4096);
  EXPECT_EQ(journal->read(EntryIndex(2)).error(), ReadFault::damaged);
  ASSERT_EQ(journal->damaged().size(), 1U);
  EXPECT_EQ(journal->damaged()[0], (DamagedRange{EntryIndex(2), EntryIndex(2)}));
  EXPECT_EQ(journal->durable(), EntryIndex(1));
  ASSERT_EQ(journal->repair(make_entry(2, EntryIndex(2), 100).view()), AppendOutcome::accepted);
  EXPECT_EQ(journal->durable(), EntryIndex(1));
  ASSERT_EQ(journal->sync().value(), EntryIndex(3));
  EXPECT_EQ(id_of(journal->read(EntryIndex(2)).value()), 2U);
}

TEST(Journal, appends_syncs_and_reads_without_allocation) {
  const ScratchDirectory directory;
  auto disk = RealDisk::open_directory(directory.path());
  ASSERT_TRUE(disk);
  const auto journal = open_journal(**disk);
  const std::vector<std::byte> body(1000, std::byte{1});
  const support::AllocGuard guard;
  bool well = true;
  // Enough for three segments and the changes between them.
  for (std::uint64_t index = 1; index <= 50; ++index) {
    const Entry entry{.index = EntryIndex(index), .term = Term(1), .epoch = Epoch(1), .body = body};
    if (index % 5 == 0 || journal->append(entry) == AppendOutcome::group_full) {
      well = well && journal->sync().has_value();
    }
    well = well && (journal->last() == entry.index || journal->append(entry) == AppendOutcome::accepted);
    well = well && (index <= 10 || journal->read(EntryIndex(index / 5)).has_value());
  }
  EXPECT_EQ(guard.allocations(), 0U);
  EXPECT_TRUE(well);
  EXPECT_GE(journal->durable(), EntryIndex(45));
}

TEST(Journal, new_incarnation_may_not_vote) {
  SimDisk disk(1);
  auto journal = open_journal(disk);
  ASSERT_TRUE(journal->promise({.term = Term(1), .may_vote = true}));
  const Witness seen = journal->witness();
  ASSERT_TRUE(journal->become_amnesiac(Incarnation(9)));
  journal.reset();
  disk.restart(SimDisk::Loss::everything);
  journal = open_journal(disk);
  EXPECT_FALSE(journal->promises().may_vote);
  EXPECT_EQ(journal->witness().incarnation, Incarnation(9));
  EXPECT_FALSE(journal->is_older_than(seen)) << "that was another incarnation";
}

}  // namespace
}  // namespace mallard::rsm::journal
