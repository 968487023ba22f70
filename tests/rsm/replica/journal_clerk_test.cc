#include "rsm/replica/journal_clerk.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "crypto/sodium.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm {
namespace {

using journal::EntryIndex;

class JournalClerkTest : public testing::Test {
 protected:
  JournalClerkTest() {
    crypto::start_sodium();
    journal::FreshIdentity fresh{.incarnation = Incarnation(5)};
    auto opened = journal::Journal::open(disk,
                                         {.segment_bytes = 64U << 10,
                                          .segments_max = 4,
                                          .entries_max = 64,
                                          .group_bytes_max = 8192,
                                          .body_bytes_max = 4096},
                                         fresh);
    EXPECT_TRUE(opened);
    store = std::move(*opened);
  }
  static journal::Entry entry(std::uint64_t index, std::string_view body) {
    return {EntryIndex(index), journal::Term(1), Epoch(1), text_bytes(body)};
  }
  std::string body(std::uint64_t index) {
    const auto read = store->read(EntryIndex(index));
    std::string text;
    if (read) {
      for (const std::byte b : read->body) {
        text.push_back(static_cast<char>(b));
      }
    }
    return text;
  }

  journal::SimDisk disk{1};
  std::unique_ptr<journal::Journal> store;
};

TEST_F(JournalClerkTest, ATicketIsReportedWhenItsEntriesAreDurable) {
  JournalClerk clerk(*store);
  clerk.append(entry(1, "one"));
  clerk.seal(1);
  EXPECT_EQ(clerk.persisted(), 0U);
  clerk.sync();
  EXPECT_EQ(clerk.persisted(), 1U);
  EXPECT_EQ(store->durable(), EntryIndex(1));
  clerk.append(entry(2, "two"));
  clerk.promise(2, {.term = journal::Term(9), .may_vote = true});
  EXPECT_EQ(clerk.persisted(), 2U);
  EXPECT_EQ(store->durable(), EntryIndex(2)) << "what was appended before a promise is durable with it";
  EXPECT_EQ(store->promises().term, journal::Term(9));
}

TEST_F(JournalClerkTest, GroupsThatAreFullGoToTheDisk) {
  JournalClerk clerk(*store);
  const std::string large(3000, 'x');
  for (std::uint64_t i = 1; i <= 9; ++i) {
    clerk.append(entry(i, large));
  }
  clerk.seal(1);
  clerk.sync();
  EXPECT_FALSE(clerk.failed()) << clerk.failure();
  EXPECT_EQ(store->durable(), EntryIndex(9));
}

TEST_F(JournalClerkTest, ASuffixIsReplacedAndWhatIsDecidedIsNot) {
  JournalClerk clerk(*store);
  for (std::uint64_t i = 1; i <= 4; ++i) {
    clerk.append(entry(i, "old"));
  }
  clerk.commit(EntryIndex(2));
  clerk.append(entry(2, "old"));
  EXPECT_EQ(store->last(), EntryIndex(4)) << "a decided entry is the same in every log";
  clerk.append(entry(3, "new"));
  clerk.seal(1);
  clerk.sync();
  EXPECT_FALSE(clerk.failed()) << clerk.failure();
  EXPECT_EQ(store->last(), EntryIndex(3));
  EXPECT_EQ(body(2), "old");
  EXPECT_EQ(body(3), "new");
}

TEST_F(JournalClerkTest, NothingIsPersistedAfterAFailure) {
  JournalClerk clerk(*store);
  clerk.append(entry(1, "one"));
  clerk.seal(1);
  disk.fail_after(0, journal::DiskFault::broken);
  clerk.sync();
  EXPECT_TRUE(clerk.failed());
  EXPECT_NE(clerk.failure(), "");
  clerk.append(entry(2, "two"));
  clerk.seal(2);
  clerk.sync();
  clerk.promise(3, {.term = journal::Term(9)});
  EXPECT_EQ(clerk.persisted(), 0U);
  EXPECT_EQ(disk.changes_after_failure(), 0U) << "a failed sync is never tried again";
}

TEST_F(JournalClerkTest, AFullJournalIsAFailureWithAName) {
  JournalClerk clerk(*store);
  for (std::uint64_t i = 1; i <= 65; ++i) {
    clerk.append(entry(i, "x"));
  }
  EXPECT_EQ(clerk.failure(), "the journal is full");
}

TEST_F(JournalClerkTest, ASnapshotMakesRoom) {
  JournalClerk clerk(*store);
  for (std::uint64_t i = 1; i <= 60; ++i) {
    clerk.append(entry(i, "x"));
  }
  clerk.commit(EntryIndex(60));
  clerk.seal(1);
  clerk.write_snapshot(text_bytes("bytes of a snapshot"), true);
  clerk.keep_snapshot({.slot = 1,
                       .position = {.index = EntryIndex(50), .term = journal::Term(1)},
                       .forget_through = EntryIndex(40)});
  EXPECT_FALSE(clerk.failed()) << clerk.failure();
  EXPECT_EQ(clerk.snapshot_orders(), 2U);
  EXPECT_EQ(store->snapshot().index, EntryIndex(50));
  EXPECT_EQ(store->front(), EntryIndex(40));
  EXPECT_EQ(store->last(), EntryIndex(60));
  EXPECT_EQ(clerk.persisted(), 1U);
  EXPECT_TRUE(disk.open(snapshot_name(1)));
}

TEST_F(JournalClerkTest, ASnapshotBehindTheLogBeginsItAnew) {
  JournalClerk clerk(*store);
  clerk.append(entry(1, "x"));
  clerk.seal(1);
  clerk.write_snapshot(text_bytes("bytes of a snapshot"), true);
  clerk.keep_snapshot({.position = {.index = EntryIndex(2), .term = journal::Term(1)}, .restarts = true});
  clerk.append(entry(3, "y"));
  clerk.seal(2);
  clerk.sync();
  EXPECT_FALSE(clerk.failed()) << clerk.failure();
  EXPECT_EQ(store->front(), EntryIndex(2));
  EXPECT_EQ(body(3), "y");
  EXPECT_EQ(clerk.persisted(), 2U);
}

// The power went after a superblock had told of a commit and before the entries of it were written.
TEST_F(JournalClerkTest, ASuffixBehindAnInstalledSnapshotIsReplacedWhateverWasDecidedBefore) {
  store->set_commit(EntryIndex(9));
  JournalClerk clerk(*store);
  clerk.append(entry(1, "x"));
  clerk.write_snapshot(text_bytes("bytes of a snapshot"), true);
  clerk.keep_snapshot({.position = {.index = EntryIndex(2), .term = journal::Term(1)}, .restarts = true});
  clerk.append(entry(3, "old"));
  clerk.append(entry(4, "old"));
  clerk.seal(1);
  clerk.sync();
  clerk.append(entry(3, "new"));
  clerk.seal(2);
  clerk.sync();
  EXPECT_FALSE(clerk.failed()) << clerk.failure();
  EXPECT_EQ(store->last(), EntryIndex(3));
  EXPECT_EQ(body(3), "new");
}

}  // namespace
}  // namespace mallard::rsm
