#include "rsm/replica/snapshot_recovery.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/sodium.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/replica/snapshot_taker.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/direct_journal.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm {
namespace {

using journal::EntryIndex;

constexpr KvSettings limits{.state_bytes = 1U << 20U, .sessions_max = 4, .view_bytes = 1U << 18U};

class SnapshotRecoveryTest : public testing::Test {
 protected:
  SnapshotRecoveryTest() {
    crypto::start_sodium();
    reopen();
  }
  void reopen() {
    store.reset();
    auto opened = journal::Journal::open(disk, {}, {.incarnation = Incarnation(++lives)});
    ASSERT_TRUE(opened);
    store = std::move(*opened);
  }
  // Journals so many entries and snapshots the state behind them, as of `index` in the journal.
  StateDigest snapshot(std::uint64_t entries, std::uint64_t index) {
    KvMachine source(limits);
    EgressLog bodies({.links = 1, .bytes = egress_bytes_min, .batches = 8});
    DirectJournal port(*store);
    for (std::uint64_t i = 1; i <= entries; ++i) {
      port.append({store->last().next(), journal::Term(1), Epoch(1), text_bytes("entry")});
    }
    port.seal(1);
    source.apply(CommitIndex(5), put("key", std::to_string(index)), {}, bodies);
    SnapshotTaker taker({}, {source, bodies, port}, {});
    taker.take_soon();
    const LogStart at{{{.lsn = 640, .chain = 9, .ballot = cft::Ballot(1)}, EntryIndex(index)}, {.set = 7}};
    port.commit(EntryIndex(index));
    while (taker.turn(at)) {
    }
    EXPECT_EQ(taker.taken(), 1U);
    return *source.state_hash(ViewId{});
  }
  journal::JournalResult<RecoveredState> recover(const KvSettings& settings = limits) {
    machine.emplace(settings);
    return recover_state(*store, *machine, egress, {.set = 3});
  }

  std::uint64_t lives = 0;
  journal::SimDisk disk{1};
  std::unique_ptr<journal::Journal> store;
  std::optional<KvMachine> machine;
  EgressLog egress{{.links = 1, .bytes = egress_bytes_min, .batches = 8}};
};

TEST_F(SnapshotRecoveryTest, WithoutSnapshotsItIsTheBeginning) {
  const auto state = recover();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->start.place, LogPlace{});
  EXPECT_EQ(state->start.members.set, 3U);
  EXPECT_FALSE(state->lost);
  EXPECT_EQ(state->kept.newest(), nullptr);
}

TEST_F(SnapshotRecoveryTest, TheMachineIsWhatTheSnapshotSays) {
  const StateDigest hash = snapshot(12, 10);
  reopen();
  const auto state = recover();
  ASSERT_TRUE(state);
  EXPECT_EQ(*machine->state_hash(ViewId{}), hash);
  EXPECT_EQ(state->start.place.index, EntryIndex(10));
  EXPECT_EQ(state->start.place.end, (cft::LogMark{.lsn = 640, .chain = 9, .ballot = cft::Ballot(1)}));
  EXPECT_EQ(state->start.members.set, 7U);
  EXPECT_FALSE(state->lost);
  EXPECT_EQ(store->last(), EntryIndex(12));
}

// The power went after the snapshot got its name and before the superblock said so.
TEST_F(SnapshotRecoveryTest, ASnapshotThatTheSuperblockDoesNotKnowIsCompleted) {
  const journal::DiskImage before = [&] {
    DirectJournal port(*store);
    for (int i = 0; i < 12; ++i) {
      port.append({store->last().next(), journal::Term(1), Epoch(1), text_bytes("entry")});
    }
    port.seal(1);
    return disk.image();
  }();
  snapshot(0, 10);
  journal::DiskImage image = before;
  image["snapshot.0"] = disk.image().at("snapshot.0");
  disk.restore(image);
  reopen();
  EXPECT_EQ(store->snapshot().index, EntryIndex());
  ASSERT_TRUE(recover());
  EXPECT_EQ(store->snapshot().index, EntryIndex(10));
  EXPECT_GE(store->commit(), EntryIndex(10));
}

// It came from a peer, and the power went before the journal began anew behind it.
TEST_F(SnapshotRecoveryTest, TheJournalBeginsAnewBehindASnapshotThatItDoesNotReach) {
  const journal::DiskImage empty = disk.image();
  snapshot(20, 20);
  journal::DiskImage image = empty;
  image["snapshot.0"] = disk.image().at("snapshot.0");
  disk.restore(image);
  reopen();
  const auto state = recover();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->start.place.index, EntryIndex(20));
  EXPECT_FALSE(state->lost);
  EXPECT_EQ(store->front(), EntryIndex(20));
  EXPECT_EQ(store->last(), EntryIndex(20));
}

// The journal begins behind a snapshot that is gone; what is left is numbered so that the next life agrees.
TEST_F(SnapshotRecoveryTest, ALogThatIsLostIsNotTakenForWhole) {
  const StateDigest hash = snapshot(12, 10);
  ASSERT_TRUE(store->set_snapshot({.index = EntryIndex(10), .term = journal::Term(1)}));
  {
    DirectJournal port(*store);
    port.commit(EntryIndex(12));
    port.seal(2);
  }
  ASSERT_TRUE(store->set_snapshot({.index = EntryIndex(12), .term = journal::Term(1)}));
  ASSERT_TRUE(store->truncate_front(EntryIndex(12)));
  reopen();
  const auto state = recover();
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->lost);
  EXPECT_EQ(*machine->state_hash(ViewId{}), hash);
  EXPECT_EQ(state->start.place.index, store->front());
  EXPECT_EQ(state->kept.newest()->end.index, store->front());
  reopen();
  const auto again = recover();
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->lost) << "the log goes on behind it now; the promises say what was lost";
  EXPECT_EQ(again->start.place, state->start.place);
}

TEST_F(SnapshotRecoveryTest, OtherLimitsAreAnErrorByName) {
  snapshot(12, 10);
  const auto state = recover({.state_bytes = 2U << 20U, .sessions_max = 4, .view_bytes = 1U << 18U});
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().fault, journal::JournalFault::settings);
  EXPECT_NE(state.error().what.find("snapshot.0"), std::string::npos);
}

}  // namespace
}  // namespace mallard::rsm
