// What opening makes of a store that something has happened to. The storm draws such things at random.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "rsm/replica/journal/journal.h"
#include "tests/rsm/replica/journal/journal_model.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm::journal {
namespace {

constexpr JournalSettings small{.segment_bytes = 16384,
                                .segments_max = 8,
                                .entries_max = 100,
                                .group_bytes_max = 4096,
                                .body_bytes_max = 3000};

JournalResult<std::unique_ptr<Journal>> open_store(Disk& disk, JournalSettings settings = small) {
  return Journal::open(disk, settings, {.store = {}, .incarnation = Incarnation(42)});
}

// Twelve entries, one per group, in four segments of three groups each.
class JournalOpen : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Journal::open(disk_, small, {.store = {}, .incarnation = Incarnation(1)});
    ASSERT_TRUE(opened);
    ASSERT_TRUE((*opened)->promise({.term = Term(5), .may_vote = true}));
    for (std::uint64_t index = 1; index <= 12; ++index) {
      ASSERT_EQ((*opened)->append(make_entry(index, EntryIndex(index), 2000).view()),
                AppendOutcome::accepted);
      ASSERT_TRUE((*opened)->sync());
    }
    seen_ = (*opened)->witness();
    image_ = disk_.image();
  }

  std::unique_ptr<Journal> reopen() {
    disk_.restore(image_);
    auto opened = open_store(disk_);
    EXPECT_TRUE(opened);
    return opened ? std::move(*opened) : nullptr;
  }

  SimDisk disk_{1};
  DiskImage image_;
  Witness seen_;
};

TEST_F(JournalOpen, intact_store_is_what_it_was) {
  const auto journal = reopen();
  EXPECT_EQ(journal->durable(), EntryIndex(12));
  EXPECT_EQ(journal->promises().term, Term(5));
  EXPECT_FALSE(journal->is_older_than(seen_));
}

TEST_F(JournalOpen, flipped_bit_in_the_middle_is_reported_and_not_cut) {
  image_["log.00000002"][2 * 4096 + 500] ^= std::byte{1};
  const auto journal = reopen();
  EXPECT_EQ(journal->last(), EntryIndex(12));
  ASSERT_EQ(journal->damaged().size(), 1U);
  EXPECT_EQ(journal->damaged()[0], (DamagedRange{EntryIndex(5), EntryIndex(5)}));
  EXPECT_EQ(journal->durable(), EntryIndex(4));
  EXPECT_TRUE(journal->promises().may_vote);
}

TEST_F(JournalOpen, lost_file_in_the_middle_is_damage_with_known_ends) {
  image_.erase("log.00000002");
  const auto journal = reopen();
  ASSERT_EQ(journal->damaged().size(), 1U);
  EXPECT_EQ(journal->damaged()[0], (DamagedRange{EntryIndex(4), EntryIndex(6)}));
  EXPECT_EQ(journal->last(), EntryIndex(12));
}

TEST_F(JournalOpen, lost_last_file_makes_a_new_incarnation) {
  image_.erase("log.00000004");
  const auto journal = reopen();
  EXPECT_EQ(journal->recovered().amnesia, AmnesiaCause::tail_lost);
  EXPECT_FALSE(journal->promises().may_vote);
  EXPECT_EQ(journal->witness().incarnation, Incarnation(42));
  EXPECT_EQ(journal->last(), EntryIndex(9));
  // What is fetched from the others goes on from there.
  EXPECT_EQ(journal->append(make_entry(10, EntryIndex(10), 20).view()), AppendOutcome::accepted);
  EXPECT_TRUE(journal->sync());
}

TEST_F(JournalOpen, lost_superblock_makes_a_new_incarnation) {
  image_.erase("superblock.0");
  const auto journal = reopen();
  EXPECT_EQ(journal->recovered().amnesia, AmnesiaCause::superblock_lost);
  EXPECT_FALSE(journal->promises().may_vote);
  EXPECT_EQ(journal->durable(), EntryIndex(12));
}

TEST_F(JournalOpen, both_superblocks_lost_is_refused_by_name) {
  image_.erase("superblock.0");
  image_.erase("superblock.1");
  disk_.restore(image_);
  const auto opened = open_store(disk_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, JournalFault::damaged);
  EXPECT_THAT(opened.error().advice, testing::HasSubstr("move the directory away"));
}

TEST_F(JournalOpen, empty_directory_is_a_new_incarnation) {
  image_.clear();
  const auto journal = reopen();
  EXPECT_EQ(journal->recovered().amnesia, AmnesiaCause::fresh_store);
  EXPECT_EQ(journal->witness().incarnation, Incarnation(42));
}

TEST_F(JournalOpen, file_of_another_store_is_damage) {
  SimDisk other(2);
  StoreId store;
  store.bytes[0] = std::byte{1};
  auto opened = Journal::open(other, small, {.store = store, .incarnation = Incarnation(2)});
  ASSERT_TRUE(opened);
  ASSERT_EQ((*opened)->append(make_entry(9, EntryIndex(1), 2000).view()), AppendOutcome::accepted);
  ASSERT_TRUE((*opened)->sync());
  image_["log.00000001"] = other.image()["log.00000001"];
  const auto journal = reopen();
  ASSERT_EQ(journal->damaged().size(), 1U);
  EXPECT_EQ(journal->damaged()[0], (DamagedRange{EntryIndex(1), EntryIndex(3)}));
}

TEST_F(JournalOpen, older_copy_is_known_by_what_peers_have_seen) {
  const auto journal = reopen();
  ASSERT_TRUE(journal->promise({.term = Term(6), .may_vote = true}));
  const Witness later = journal->witness();
  const auto old = reopen();
  EXPECT_EQ(old->recovered().amnesia, AmnesiaCause::none) << "alone, it cannot know";
  EXPECT_TRUE(old->is_older_than(later));
}

TEST_F(JournalOpen, settings_that_do_not_fit_are_refused) {
  for (const auto& change : std::vector<std::function<void(JournalSettings&)>>{
           [](JournalSettings& s) { s.segment_bytes *= 2; }, [](JournalSettings& s) { s.entries_max = 11; },
           [](JournalSettings& s) { s.body_bytes_max = 1999; },
           [](JournalSettings& s) { s.segments_max = 3; },
           [](JournalSettings& s) { s.group_bytes_max = 5000; }}) {
    JournalSettings settings = small;
    change(settings);
    const auto opened = open_store(disk_, settings);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().fault, JournalFault::settings);
  }
}

}  // namespace
}  // namespace mallard::rsm::journal
