#include "rsm/replica/log_recovery.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/sodium.h"
#include "rsm/core/cft/entry_log.h"
#include "rsm/replica/engine.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm {
namespace {

using journal::EntryIndex;

constexpr std::uint64_t ring = 8192;

// A log as a leader writes it, and the journal of a replica that follows.
class LogRecoveryTest : public testing::Test, public RecoveredCommands {
 protected:
  LogRecoveryTest() {
    crypto::start_sodium();
    const journal::FreshIdentity fresh{.incarnation = Incarnation(5)};
    auto opened = journal::Journal::open(disk,
                                         {.segment_bytes = 1U << 20,
                                          .entries_max = 1024,
                                          .group_bytes_max = 64U << 10,
                                          .body_bytes_max = 16U << 10},
                                         fresh);
    EXPECT_TRUE(opened);
    store = std::move(*opened);
  }
  void on_recovered(CommitIndex at, ByteView command) override {
    commands.emplace_back(at.value, command.size());
  }
  // Everything is decided at once when `decide`; entries say so one later.
  void write(std::size_t payload, bool decide) {
    const cft::LogMark before = log.end();
    log.append(bytes, cft::EntryKind::command, cft::make_ballot(1, memory::ProcessIndex(0)),
               std::vector<std::byte>(payload));
    cft::LogMark at = before;
    while (at.lsn < log.end().lsn) {
      const auto entry = cft::decode_entry(
          ByteView(bytes).subspan(layout.log_offset(at.lsn), layout.until_wrap(at.lsn)), at);
      ASSERT_TRUE(entry);
      ++index;
      const std::uint64_t covered = cft::entry_header_bytes + entry->payload.size();
      EXPECT_EQ(store->append({EntryIndex(index), journal::Term(1), Epoch(1),
                               ByteView(bytes).subspan(layout.log_offset(at.lsn), covered)}),
                journal::AppendOutcome::accepted);
      at = entry->end();
    }
    if (decide) {
      log.decide(log.end().lsn);
    }
    EXPECT_TRUE(store->sync());
  }
  RecoveredLog recover(std::vector<std::byte>& region) {
    return recover_log(*store, LogStart{{}, {.set = 7}}, layout, region, *this);
  }

  cft::MemoryLayout layout{.processes = 3, .ring_bytes = ring, .chunk_bytes = 1024};
  std::vector<std::byte> bytes = std::vector<std::byte>(cft::control_bytes + ring);
  cft::EntryLog log{layout, 64, {}};
  journal::SimDisk disk{1};
  std::unique_ptr<journal::Journal> store;
  std::uint64_t index = 0;
  std::vector<std::pair<std::uint64_t, std::size_t>> commands;
};

TEST_F(LogRecoveryTest, AnEmptyJournalGivesTheBeginning) {
  std::vector<std::byte> region(bytes.size());
  const RecoveredLog recovered = recover(region);
  EXPECT_FALSE(recovered.broken);
  EXPECT_EQ(recovered.applied.place, LogPlace{});
  EXPECT_EQ(recovered.applied.members.set, 7U);
}

TEST_F(LogRecoveryTest, WhatIsDecidedIsExecutedAndTheRestIsInTheRing) {
  write(100, true);
  write(200, true);
  write(300, false);
  std::vector<std::byte> region(bytes.size());
  const RecoveredLog recovered = recover(region);
  EXPECT_FALSE(recovered.broken);
  ASSERT_EQ(commands.size(), 2U) << "the third entry says that two are decided";
  EXPECT_EQ(commands[1].second, 200U);
  EXPECT_EQ(recovered.applied.place.index.value, 2U);
  ASSERT_EQ(recovered.undecided.size(), 1U);
  EXPECT_EQ(recovered.undecided[0].end, log.end());
  EXPECT_TRUE(std::equal(region.begin() + 64, region.begin() + 64 + 500, bytes.begin() + 64));
}

TEST_F(LogRecoveryTest, TheJournalsMarkDecidesToo) {
  write(100, true);
  store->set_commit(EntryIndex(1));
  std::vector<std::byte> region(bytes.size());
  EXPECT_EQ(recover(region).applied.place.index.value, 1U);
  EXPECT_EQ(commands.size(), 1U);
}

TEST_F(LogRecoveryTest, ALogThatWentRoundTheRingLeavesItsEndThere) {
  for (int i = 0; i < 40; ++i) {
    write(1000, true);
  }
  std::vector<std::byte> region(bytes.size());
  const RecoveredLog recovered = recover(region);
  EXPECT_FALSE(recovered.broken);
  EXPECT_EQ(commands.size(), 39U);
  EXPECT_GE(recovered.tail + ring, log.end().lsn);
  EXPECT_LE(recovered.tail, recovered.applied.place.end.lsn);
  EXPECT_EQ(recovered.undecided.back().end, log.end());
}

TEST_F(LogRecoveryTest, AnEntryThatDoesNotContinueTheLogEndsIt) {
  write(100, true);
  write(100, true);
  EXPECT_EQ(store->append({EntryIndex(index + 1), journal::Term(1), Epoch(1), text_bytes("no entry at all")}),
            journal::AppendOutcome::accepted);
  EXPECT_TRUE(store->sync());
  std::vector<std::byte> region(bytes.size());
  const RecoveredLog recovered = recover(region);
  EXPECT_TRUE(recovered.broken);
  ASSERT_EQ(recovered.undecided.size(), 1U);
  EXPECT_EQ(recovered.undecided[0].end, log.end());
}

}  // namespace
}  // namespace mallard::rsm
