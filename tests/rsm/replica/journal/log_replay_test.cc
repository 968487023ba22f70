#include "rsm/replica/journal/log_replay.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mallard::rsm::journal {
namespace {

// A log of one segment, item by item. Entry records of lsn 1, 2, 3 ...; `synced` says what was durable
// before.
class LogStory {
 public:
  LogStory& entry(std::uint64_t index, std::uint64_t synced, std::uint64_t commit = 0) {
    if (index <= last_) {
      cut_ = lsn_ + 1;
    }
    last_ = index;
    add(RecordKind::entry, index, synced, commit);
    return *this;
  }
  LogStory& repair(std::uint64_t index, std::uint64_t synced) {
    add(RecordKind::repair, index, synced, 0);
    return *this;
  }
  LogStory& bad_body(std::size_t item, bool unwritten) {
    items_[item].item.body_matches = false;
    items_[item].item.unwritten = unwritten;
    return *this;
  }
  LogStory& bad_head(std::size_t item, bool unwritten) {
    items_[item].item.head.reset();
    return bad_body(item, unwritten);
  }
  LogStory& known_superblock(std::uint64_t generation) {
    items_.back().item.head->record.generation = generation;
    return *this;
  }
  ReplayOutcome run(const Superblock& superblock = {}) { return LogReplay(superblock, table_).run(items_); }
  // "1 2 x 4": damaged entries as x.
  std::string entries() const {
    std::string text;
    for (EntryIndex i = table_.front().next(); i <= table_.last(); i = i.next()) {
      text += (text.empty() ? "" : " ") + (table_.at(i).lsn == 0 ? "x" : std::to_string(i.value));
    }
    return text;
  }

 private:
  void add(RecordKind kind, std::uint64_t index, std::uint64_t synced, std::uint64_t commit) {
    RecordHead head;
    head.record = {.kind = kind,
                   .lsn = lsn_ + 1,
                   .previous = lsn_,
                   .index = EntryIndex(index),
                   .commit = EntryIndex(commit),
                   .last = EntryIndex(last_),
                   .cut = cut_,
                   .synced = synced};
    ++lsn_;
    items_.push_back({.segment = 1,
                      .item = {.offset = static_cast<std::uint32_t>(lsn_ * 200),
                               .bytes = 200,
                               .head = head,
                               .body_matches = true}});
  }

  EntryTable table_{64};
  std::vector<SegmentItem> items_;
  std::uint64_t lsn_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t cut_ = 0;
};

TEST(LogReplay, whole_log_counts_as_a_whole) {
  LogStory story;
  story.entry(1, 0).entry(2, 0).entry(3, 2);
  const ReplayOutcome outcome = story.run();
  EXPECT_EQ(story.entries(), "1 2 3");
  EXPECT_EQ(outcome.last_lsn, 3U);
  EXPECT_EQ(outcome.tail_offset, 800U);
  EXPECT_FALSE(outcome.tail_lost);
}

TEST(LogReplay, torn_tail_is_cut) {
  LogStory story;
  story.entry(1, 0).entry(2, 1).entry(3, 1).entry(4, 1).bad_body(2, true);
  const ReplayOutcome outcome = story.run();
  EXPECT_EQ(story.entries(), "1 2");
  EXPECT_FALSE(outcome.tail_lost);
  EXPECT_EQ(outcome.tail_offset, 600U);
}

TEST(LogReplay, bad_record_that_was_durable_is_never_cut) {
  LogStory story;
  story.entry(1, 0).entry(2, 1).entry(3, 1).entry(4, 3).bad_body(1, true);
  EXPECT_FALSE(story.run().tail_lost);
  EXPECT_EQ(story.entries(), "1 x 3 4");
}

TEST(LogReplay, superblock_knows_what_was_durable_too) {
  LogStory story;
  story.entry(1, 0).entry(2, 0).bad_body(1, true);
  Superblock superblock;
  superblock.synced_lsn = 2;
  EXPECT_FALSE(story.run(superblock).tail_lost);
  EXPECT_EQ(story.entries(), "1 x");
}

TEST(LogReplay, changed_bytes_are_damage_also_at_the_end) {
  LogStory story;
  story.entry(1, 0).entry(2, 1).bad_body(1, false);
  EXPECT_FALSE(story.run().tail_lost);
  EXPECT_EQ(story.entries(), "1 x");
}

TEST(LogReplay, missing_records_in_the_middle_are_damage) {
  LogStory story;
  story.entry(1, 0).entry(2, 1).entry(3, 1).entry(4, 3).bad_head(1, false).bad_head(2, false);
  EXPECT_FALSE(story.run().tail_lost);
  EXPECT_EQ(story.entries(), "1 x x 4");
}

TEST(LogReplay, changed_head_at_the_end_loses_the_tail) {
  LogStory story;
  story.entry(1, 0).entry(2, 1).bad_head(1, false);
  EXPECT_TRUE(story.run().tail_lost);
  EXPECT_EQ(story.entries(), "1");
}

TEST(LogReplay, durable_records_that_are_missing_at_the_end_are_a_lost_tail) {
  LogStory story;
  story.entry(1, 0).entry(2, 1);
  Superblock superblock;
  superblock.synced_lsn = 3;
  EXPECT_TRUE(story.run(superblock).tail_lost);
}

TEST(LogReplay, replaced_suffix_supersedes) {
  LogStory story;
  story.entry(1, 0).entry(2, 1).entry(3, 2).entry(2, 3);
  (void)story.run();
  EXPECT_EQ(story.entries(), "1 2");
}

TEST(LogReplay, lost_replacement_casts_doubt_on_everything_uncommitted) {
  LogStory story;
  // 1 and 2 are committed before the gap; the gap hides that 3 and 4 were replaced.
  story.entry(1, 0).entry(2, 1).entry(3, 2, 2).entry(4, 3, 2).entry(3, 4, 2).entry(4, 5, 2);
  story.bad_head(4, false);
  EXPECT_FALSE(story.run().tail_lost);
  EXPECT_EQ(story.entries(), "1 2 x 4");
}

TEST(LogReplay, repair_supersedes_the_damaged_record_only) {
  LogStory story;
  story.entry(1, 0).entry(2, 1).entry(3, 2).repair(2, 3).bad_body(1, false);
  EXPECT_FALSE(story.run().tail_lost);
  EXPECT_EQ(story.entries(), "1 2 3");
}

TEST(LogReplay, record_of_a_newer_superblock_is_noticed) {
  LogStory story;
  story.entry(1, 0).known_superblock(5);
  Superblock superblock;
  superblock.generation = 5;
  EXPECT_FALSE(story.run(superblock).regressed);
  superblock.generation = 4;
  EXPECT_TRUE(story.run(superblock).regressed);
}

TEST(LogReplay, more_entries_than_places_are_told) {
  LogStory story;
  for (std::uint64_t index = 1; index <= 65; ++index) {
    story.entry(index, index - 1);
  }
  EXPECT_TRUE(story.run().too_many);
}

}  // namespace
}  // namespace mallard::rsm::journal
