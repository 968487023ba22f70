#include "rsm/core/cft/entry_log.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <vector>

#include "config/base/prng.h"

namespace mallard::rsm::cft {
namespace {

using memory::ProcessIndex;

const MemoryLayout layout{3, 1024, 1024};
const Ballot first_reign = make_ballot(1, ProcessIndex(0));
const Ballot second_reign = make_ballot(2, ProcessIndex(1));
constexpr Lsn far = UINT64_MAX;

std::vector<std::byte> region() { return std::vector<std::byte>(control_bytes + layout.ring_bytes); }
std::vector<std::byte> payload_of(std::uint64_t value, std::size_t size = 8) {
  std::vector<std::byte> bytes(size);
  if (size != 0) std::memcpy(bytes.data(), &value, std::min<std::size_t>(size, 8));
  return bytes;
}

TEST(EntryLog, ReadsWhatAnotherAppended) {
  std::vector<std::byte> memory = region();
  EntryLog writer(layout, 16, {});
  EntryLog reader(layout, 16, {});
  (void)writer.append(memory, EntryKind::command, first_reign, payload_of(1));
  (void)writer.append(memory, EntryKind::command, first_reign, payload_of(2, 100));
  EXPECT_EQ(reader.read_next(memory, first_reign, far)->payload.size(), 8U);
  EXPECT_EQ(reader.read_next(memory, first_reign, far)->payload.size(), 100U);
  EXPECT_FALSE(reader.read_next(memory, first_reign, far).has_value());
  EXPECT_EQ(reader.end(), writer.end());
  EXPECT_EQ(reader.decide(64), 1U);
  EXPECT_EQ(reader.stable().lsn, 64U);
  EXPECT_EQ(reader.undecided(), 1U);
}

TEST(EntryLog, YoungerReignsAndBytesBeyondTheLimitAreNotRead) {
  std::vector<std::byte> memory = region();
  EntryLog writer(layout, 16, {});
  EntryLog reader(layout, 16, {});
  (void)writer.append(memory, EntryKind::command, second_reign, payload_of(1));
  EXPECT_FALSE(reader.read_next(memory, first_reign, far).has_value());
  EXPECT_FALSE(reader.read_next(memory, second_reign, 63).has_value());
  EXPECT_EQ(reader.walk(memory, {}, second_reign, far), writer.end());
  EXPECT_EQ(reader.walk(memory, {}, second_reign, 63), LogMark());
}

TEST(EntryLog, AnEntryThatDoesNotFitBeforeTheEndOfTheRingGoesBehindAFiller) {
  std::vector<std::byte> memory = region();
  EntryLog log(layout, 16, {});
  for (int i = 0; i < 15; ++i) (void)log.append(memory, EntryKind::command, first_reign, payload_of(1));
  EXPECT_EQ(log.cost(8), 64U);
  EXPECT_EQ(log.cost(100), 64U + 192U);
  (void)log.decide(far);
  EXPECT_EQ(log.append(memory, EntryKind::command, first_reign, payload_of(7, 100)).lsn, 1024U + 192U);
  EXPECT_EQ(log.undecided(), 2U);
}

TEST(EntryLog, TheRingGoesRoundWithoutBeingZeroed) {
  std::vector<std::byte> memory = region();
  EntryLog writer(layout, 16, {});
  EntryLog reader(layout, 16, {});
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const LogMark end = writer.append(memory, EntryKind::command, first_reign, payload_of(i, i % 90));
    while (reader.read_next(memory, first_reign, far)) {
    }
    ASSERT_EQ(reader.end(), end) << i;
    (void)writer.decide(end.lsn);
    (void)reader.decide(end.lsn);
  }
}

TEST(EntryLog, TheWindowBoundsWhatIsUndecided) {
  std::vector<std::byte> memory = region();
  EntryLog writer(layout, 16, {});
  EntryLog reader(layout, 4, {});
  for (int i = 0; i < 6; ++i) (void)writer.append(memory, EntryKind::command, first_reign, payload_of(1));
  while (reader.read_next(memory, first_reign, far)) {
  }
  EXPECT_TRUE(reader.full());
  (void)reader.decide(128);
  EXPECT_EQ(reader.undecided(), 2U);
  while (reader.read_next(memory, first_reign, far)) {
  }
  EXPECT_EQ(reader.end(), writer.end());
}

TEST(EntryLog, TheJournalIsToldFromWhereLogsPart) {
  std::vector<std::byte> memory = region();
  EntryLog old_leader(layout, 16, {});
  for (std::uint64_t i = 0; i < 4; ++i) {
    (void)old_leader.append(memory, EntryKind::command, first_reign, payload_of(i));
  }
  EntryLog log(layout, 16, {});
  while (log.read_next(memory, second_reign, far)) {
  }
  EXPECT_EQ(log.take_unjournaled().to, 256U);
  EXPECT_EQ(log.journaled(), 256U);
  EXPECT_EQ(log.take_unjournaled().from, log.take_unjournaled().to);

  // The next leader has only two of them, and goes on with its own.
  EntryLog next_leader(layout, 16, {});
  (void)next_leader.read_next(memory, second_reign, far);
  (void)next_leader.read_next(memory, second_reign, far);
  (void)next_leader.append(memory, EntryKind::reign, second_reign, {});
  log.reread();
  while (log.read_next(memory, second_reign, far)) {
  }
  EXPECT_EQ(log.end(), next_leader.end()) << "what the old leader had behind it does not chain";
  EXPECT_EQ(log.journaled(), 128U);
  const EntryLog::Range range = log.take_unjournaled();
  EXPECT_EQ(range.from, 128U);
  EXPECT_EQ(range.to, 192U);
}

// A twin with unbounded vectors, driven by the same random steps.
TEST(EntryLog, AgreesWithTheObviousVersion) {
  Prng prng(11);
  std::vector<std::byte> memory = region();
  EntryLog log(layout, 8, {});
  std::deque<LogMark> undecided;
  std::vector<LogMark> journal;
  LogMark stable;
  for (int step = 0; step < 20'000; ++step) {
    switch (prng.below(4)) {
      case 0:
        if (log.undecided() + 2 <= 8 && log.end().lsn + log.cost(40) <= stable.lsn + layout.ring_bytes) {
          const std::uint64_t before = log.undecided();
          const LogMark end =
              log.append(memory, EntryKind::command, first_reign, payload_of(prng.next(), 40));
          if (log.undecided() == before + 2) {
            undecided.push_back({end.lsn - entry_bytes(40), 0, first_reign});
          }
          undecided.push_back(end);
        }
        break;
      case 1: {
        const Lsn from = journal.empty() ? stable.lsn : journal.back().lsn;
        const EntryLog::Range range = log.take_unjournaled();
        if (range.from != range.to) {
          ASSERT_EQ(range.from, from);
        }
        journal.assign(undecided.begin(), undecided.end());
        break;
      }
      case 2: {
        const Lsn upto = stable.lsn + 64 * prng.below(6);
        if (upto > log.journaled()) break;
        std::size_t count = 0;
        while (!undecided.empty() && undecided.front().lsn <= upto) {
          stable = undecided.front();
          undecided.pop_front();
          journal.erase(journal.begin());
          ++count;
        }
        ASSERT_EQ(log.decide(upto), count);
        break;
      }
      default:
        ASSERT_EQ(log.stable().lsn, stable.lsn);
        ASSERT_EQ(log.undecided(), undecided.size());
        ASSERT_EQ(log.end().lsn, undecided.empty() ? stable.lsn : undecided.back().lsn);
        ASSERT_EQ(log.journaled(), journal.empty() ? stable.lsn : journal.back().lsn);
    }
  }
  EXPECT_GT(stable.lsn, 100 * layout.ring_bytes);
}

}  // namespace
}  // namespace mallard::rsm::cft
