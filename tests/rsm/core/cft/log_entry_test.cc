#include "rsm/core/cft/log_entry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "config/base/prng.h"

namespace mallard::rsm::cft {
namespace {

const Ballot ballot = make_ballot(3, memory::ProcessIndex(1));

std::vector<std::byte> payload_of(std::size_t size, std::uint64_t seed) {
  Prng prng(seed);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(prng.below(256));
  return bytes;
}

TEST(LogEntry, TakesWholeLines) {
  EXPECT_EQ(entry_bytes(0), 64U);
  EXPECT_EQ(entry_bytes(32), 64U);
  EXPECT_EQ(entry_bytes(33), 128U);
}

TEST(LogEntry, ComesBackAsItWas) {
  LogMark mark;
  for (std::size_t size = 0; size < 300; ++size) {
    const auto payload = payload_of(size, size);
    std::vector<std::byte> room(entry_bytes(size));
    const Entry written = encode_entry(room, mark, {EntryKind::command, ballot, mark.lsn, payload});
    const auto read = decode_entry(room, mark);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->kind, EntryKind::command);
    EXPECT_EQ(read->ballot, ballot);
    EXPECT_EQ(read->commit, mark.lsn);
    EXPECT_TRUE(std::equal(payload.begin(), payload.end(), read->payload.begin(), read->payload.end()));
    EXPECT_EQ(read->end(), written.end());
    EXPECT_EQ(read->bytes, room.size());
    mark = read->end();
  }
}

TEST(LogEntry, FillerTakesTheRestAndIsNotCovered) {
  std::vector<std::byte> room(256);
  const Entry filler = encode_entry(room, {64, 5, ballot}, {EntryKind::filler, ballot, 0, {}});
  EXPECT_EQ(filler.bytes, 256U);
  room[200] = std::byte{9};
  const auto read = decode_entry(room, {64, 5, ballot});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->bytes, 256U);
  EXPECT_TRUE(read->payload.empty());
}

TEST(LogEntry, ZeroedMemoryIsNoEntry) {
  const std::vector<std::byte> zero(64);
  EXPECT_EQ(decode_entry(zero, {}).error(), EntryFault::malformed);
  EXPECT_EQ(decode_entry(zero, {64, 0, ballot}).error(), EntryFault::absent);
}

TEST(LogEntry, AnotherPositionOrPredecessorIsRefused) {
  std::vector<std::byte> room(64);
  (void)encode_entry(room, {640, 17, ballot}, {EntryKind::command, ballot, 0, payload_of(8, 1)});
  EXPECT_TRUE(decode_entry(room, {640, 17, ballot}).has_value());
  EXPECT_EQ(decode_entry(room, {704, 17, ballot}).error(), EntryFault::absent);
  EXPECT_EQ(decode_entry(room, {640, 18, ballot}).error(), EntryFault::torn);
}

TEST(LogEntry, EveryFlippedBitIsNoticed) {
  const auto payload = payload_of(40, 2);
  std::vector<std::byte> room(entry_bytes(payload.size()));
  (void)encode_entry(room, {128, 7, ballot}, {EntryKind::command, ballot, 64, payload});
  for (std::size_t bit = 0; bit < 8 * (entry_header_bytes + payload.size()); ++bit) {
    room[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(decode_entry(room, {128, 7, ballot}).has_value()) << bit;
    room[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
}

TEST(LogEntry, WordsThatAreStillOldAreNoticed) {
  const auto payload = payload_of(96, 3);
  std::vector<std::byte> fresh(entry_bytes(payload.size()));
  std::vector<std::byte> old(fresh.size());
  (void)encode_entry(fresh, {1024, 9, ballot}, {EntryKind::command, ballot, 512, payload});
  const Ballot older = make_ballot(2, memory::ProcessIndex(0));
  (void)encode_entry(old, {1024 - 512, 4, older}, {EntryKind::command, older, 0, payload_of(96, 4)});
  for (std::uint32_t landed = 0; landed < (1U << 16) - 1; ++landed) {
    std::vector<std::byte> mixed = old;
    for (std::size_t word = 0; word < 16; ++word) {
      if (((landed >> word) & 1U) != 0) std::memcpy(&mixed[word * 8], &fresh[word * 8], 8);
    }
    ASSERT_FALSE(decode_entry(mixed, {1024, 9, ballot}).has_value()) << landed;
  }
}

// A follower looks while the leader writes: the checksum may not vouch for a word that came only after it was
// taken.
TEST(LogEntry, AWordThatChangesMeanwhileIsNeverAnswered) {
  const LogMark previous{1 << 20, 9, ballot};
  const auto payload = payload_of(1024, 5);  // long enough that the word often comes while it is summed up
  std::vector<std::byte> room(entry_bytes(payload.size()));
  (void)encode_entry(room, previous, {EntryKind::command, ballot, 512, payload});
  std::atomic<bool> reading{true};
  std::thread leader([&] {
    auto* commit = reinterpret_cast<std::uint64_t*>(&room[24]);
    for (std::uint64_t lap = 0; reading; ++lap) {
      __atomic_store_n(commit, lap % 2 == 0 ? 513U : 512U, __ATOMIC_RELAXED);
    }
  });
  std::size_t answered = 0;
  std::size_t torn = 0;
  std::size_t wrong = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  // Both must have run side by side for a while: on a busy machine that takes longer.
  while ((answered < 20'000 || torn < 20'000) && std::chrono::steady_clock::now() < end) {
    const auto entry = decode_entry(room, previous);
    answered += entry ? 1U : 0U;
    torn += entry ? 0U : 1U;
    wrong += entry && entry->commit != 512 ? 1U : 0U;
  }
  reading = false;
  leader.join();
  EXPECT_GT(answered, 0U);
  EXPECT_GT(torn, 0U);
  EXPECT_EQ(wrong, 0U);
}

TEST(LogEntry, NoLeaderCommitsBeyondWhatItWrites) {
  std::vector<std::byte> room(64);
  (void)encode_entry(room, {128, 7, ballot}, {EntryKind::command, ballot, 129, payload_of(8, 1)});
  const auto read = decode_entry(room, {128, 7, ballot});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error(), EntryFault::malformed);
}

TEST(LogEntry, LengthsBeyondTheBytesAreMalformed) {
  std::vector<std::byte> room(64);
  (void)encode_entry(room, {}, {EntryKind::command, ballot, 0, payload_of(8, 1)});
  const std::uint32_t huge = 0x1fffffffU;
  std::memcpy(&room[4], &huge, 4);
  EXPECT_EQ(decode_entry(room, {}).error(), EntryFault::malformed);
  EXPECT_EQ(decode_entry(ByteView(room).first(31), {}).error(), EntryFault::malformed);
}

}  // namespace
}  // namespace mallard::rsm::cft
