#include "rsm/replica/snapshot_taker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "crypto/sodium.h"
#include "rsm/machine/kv_machine.h"
#include "tests/rsm/replica/commands.h"
#include "tests/rsm/replica/direct_journal.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm {
namespace {

using journal::EntryIndex;

class SnapshotTakerTest : public testing::Test {
 protected:
  SnapshotTakerTest() {
    crypto::start_sodium();
    auto opened = journal::Journal::open(disk, {}, {.incarnation = Incarnation(5)});
    EXPECT_TRUE(opened);
    store = std::move(*opened);
    port.emplace(*store);
    taker.emplace(SnapshotSettings{.every_bytes = 10'000, .every_entries = 8},
                  SnapshotTaker::Ports{machine, egress, *port}, KeptSnapshots{});
  }
  // The next entry, journaled and executed.
  void execute(const std::vector<std::byte>& command, std::uint64_t log_bytes = 64) {
    at.place.index = at.place.index.next();
    at.place.end.lsn += log_bytes;
    at.place.end.ballot = cft::Ballot(3);
    port->append({at.place.index, journal::Term(3), Epoch(1), command});
    port->commit(at.place.index);
    machine.apply(CommitIndex(at.place.end.lsn / 64), command, {}, egress);
  }
  // How many turns order something.
  int run() {
    int turns = 0;
    while (taker->turn(at)) {
      ++turns;
    }
    return turns;
  }

  journal::SimDisk disk{1};
  std::unique_ptr<journal::Journal> store;
  std::optional<DirectJournal> port;
  KvMachine machine{{.state_bytes = 16U << 20U, .sessions_max = 4, .view_bytes = 0}};
  EgressLog egress{{.links = 1, .bytes = egress_bytes_min, .batches = 8}};
  std::optional<SnapshotTaker> taker;
  LogStart at{{}, {.set = 7}};
};

TEST_F(SnapshotTakerTest, TakesOneAfterSoManyEntriesOrBytes) {
  for (int i = 0; i < 7; ++i) {
    execute(put("key", "value"));
  }
  EXPECT_EQ(run(), 0);
  execute(put("key", "value"));
  EXPECT_EQ(run(), 1);
  EXPECT_EQ(taker->taken(), 1U);
  EXPECT_EQ(taker->kept().newest()->place(), at.place);
  EXPECT_EQ(store->snapshot().index, EntryIndex(8));
  EXPECT_EQ(store->front(), EntryIndex()) << "until there is a second";
  execute(put("key", "value"), 10'240);
  run();
  EXPECT_EQ(taker->taken(), 2U);
  EXPECT_EQ(taker->kept().older()->end.index, EntryIndex(8));
  EXPECT_EQ(store->front(), EntryIndex(8));
  SnapshotReader reader(disk);
  const auto stored = verify_snapshot(reader, taker->kept().newest()->slot);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->digest, taker->kept().newest()->digest);
  EXPECT_EQ(stored->bytes, taker->kept().newest()->bytes);
  EXPECT_EQ(stored->peers_digest, taker->kept().newest()->peers_digest);
}

TEST_F(SnapshotTakerTest, TakesOneSoonWhereThatIsWanted) {
  taker->take_soon();
  EXPECT_EQ(run(), 0) << "there is nothing yet";
  execute(put("key", "value"));
  EXPECT_EQ(run(), 1);
  EXPECT_EQ(taker->taken(), 1U);
  EXPECT_EQ(run(), 0);
}

TEST_F(SnapshotTakerTest, ALargeStateGoesInPiecesWhileTheMachineGoesOn) {
  for (int i = 0; i < 8; ++i) {
    execute(put("key" + std::to_string(i), std::string(200'000, 'v')));
  }
  const StateDigest then = *machine.state_hash(ViewId{});
  ASSERT_TRUE(taker->turn(at));
  execute(put("key0", "changed"));
  EXPECT_GE(run(), 4);
  EXPECT_EQ(taker->kept().newest()->head.state.hash, then);
}

// No memory is left for views: the one that is read is given up, and the snapshot begins anew.
TEST_F(SnapshotTakerTest, ALostViewBeginsTheSnapshotAnew) {
  for (int i = 0; i < 70; ++i) {
    execute(put("key" + std::to_string(i), std::string(200'000, 'v')));
  }
  ASSERT_TRUE(taker->turn(at));
  for (int i = 0; machine.views_lost() == 0 && i < 70; ++i) {
    execute(put("key" + std::to_string(i), std::string(200'000, 'w')));
  }
  ASSERT_EQ(machine.views_lost(), 1U);
  EXPECT_FALSE(taker->turn(at));
  EXPECT_TRUE(taker->is_idle());
  EXPECT_GT(run(), 4);
  EXPECT_EQ(taker->kept().newest()->place(), at.place);
}

TEST_F(SnapshotTakerTest, ThreeIntervalsWithoutOneAreTooMany) {
  for (int i = 0; i < 23; ++i) {
    execute(put("key", "value"));
  }
  EXPECT_FALSE(taker->is_behind(at.place));
  execute(put("key", "value"));
  EXPECT_TRUE(taker->is_behind(at.place));
  run();
  EXPECT_FALSE(taker->is_behind(at.place));
}

// As long as a snapshot may take, and a ring of entries that are journaled and wait to be executed.
TEST_F(SnapshotTakerTest, TheJournalNeverHoldsMoreThanItsRoom) {
  constexpr std::uint64_t ring_entries = 32;
  const JournalRoom room =
      journal_room({.every_bytes = 10'000, .every_entries = 8}, ring_entries * cft::entry_alignment);
  std::uint64_t highest = 0;
  for (int i = 0; i < 200; ++i) {
    if (taker->is_behind(at.place)) {
      run();
    }
    execute(put("key", "value"));
    highest = std::max(highest, store->last().value - store->front().value);
  }
  EXPECT_GT(highest, 40U) << "the slowest that is allowed";
  EXPECT_LE(highest + 2 * ring_entries, room.entries);
  EXPECT_GE(room.bytes, 60'000 + 2 * ring_entries * cft::entry_alignment);
}

}  // namespace
}  // namespace mallard::rsm
