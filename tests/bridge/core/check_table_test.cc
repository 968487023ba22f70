#include "bridge/core/check_table.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "config/base/prng.h"

namespace mallard::bridge {
namespace {

using Outcome = CheckTable::Outcome;

ReplicaAddress replica(std::uint16_t index) { return {ClusterIndex(0), ReplicaIndex(index)}; }

StoredBatch batch(std::uint64_t number, std::uint32_t bytes = 100) {
  return {.header = {BatchNumber(number), MessageNumber(number), 1}, .payload = {1, bytes}};
}

TEST(CheckTable, copies_of_one_batch_from_different_peers_are_checked_side_by_side) {
  CheckTable table(8);
  const auto first = table.open(replica(0), batch(5, 10));
  const auto second = table.open(replica(1), batch(5, 20));
  EXPECT_EQ(first.outcome, Outcome::opened);
  EXPECT_EQ(second.outcome, Outcome::opened);
  EXPECT_NE(first.check, second.check);
  EXPECT_EQ(table.close(first.check).batch.payload.bytes, 10U);
  EXPECT_EQ(table.close(second.check).from, replica(1));
}

TEST(CheckTable, the_same_peer_is_not_checked_for_the_same_batch_twice_at_once) {
  CheckTable table(8);
  const auto first = table.open(replica(0), batch(5));
  EXPECT_EQ(table.open(replica(0), batch(5)).outcome, Outcome::duplicate);
  EXPECT_EQ(table.open(replica(0), batch(6)).outcome, Outcome::opened);
  table.close(first.check);
  EXPECT_EQ(table.open(replica(0), batch(5)).outcome, Outcome::opened);
}

TEST(CheckTable, a_peer_has_its_share_of_the_checks) {
  CheckTable table(8);
  for (std::uint64_t number = 1; number <= 16; ++number) {
    ASSERT_EQ(table.open(replica(0), batch(number)).outcome, Outcome::opened);
  }
  EXPECT_EQ(table.open(replica(0), batch(17)).outcome, Outcome::no_room);
  EXPECT_EQ(table.open(replica(1), batch(17)).outcome, Outcome::opened);
}

TEST(CheckTable, a_peer_has_its_share_of_the_bytes) {
  CheckTable table(8);
  const auto largest = static_cast<std::uint32_t>(batch_bytes_max);
  const auto first = table.open(replica(0), batch(1, largest));
  EXPECT_EQ(first.outcome, Outcome::opened);
  EXPECT_EQ(table.open(replica(0), batch(2, largest)).outcome, Outcome::no_room);
  for (std::uint16_t peer = 1; peer < 8; ++peer) {
    EXPECT_EQ(table.open(replica(peer), batch(1, largest)).outcome, Outcome::opened) << peer;
  }
  EXPECT_EQ(table.open(replica(8), batch(1, 1)).outcome, Outcome::no_room) << "8 MiB are under check";
  table.close(first.check);
  EXPECT_EQ(table.open(replica(0), batch(2, largest)).outcome, Outcome::opened);
}

TEST(CheckTable, the_largest_batch_with_the_largest_proof_always_fits_a_share) {
  CheckTable table(2 * replicas_max);
  const auto largest = static_cast<std::uint32_t>(batch_bytes_max + proof_bytes_max);
  EXPECT_EQ(table.open(replica(0), batch(1, largest)).outcome, Outcome::opened);
}

TEST(CheckTable, agrees_with_a_map) {
  for (const std::size_t peers : {std::size_t{1}, std::size_t{2}, std::size_t{7}, 2 * replicas_max}) {
    CheckTable table(peers);
    std::map<std::uint32_t, std::pair<std::uint16_t, StoredBatch>> open;
    Prng random(peers);
    for (int turn = 0; turn < 20'000; ++turn) {
      if (!open.empty() && random.below(2) == 0) {
        const auto closed = std::next(open.begin(), static_cast<std::ptrdiff_t>(random.below(open.size())));
        const CheckTable::Check check = table.close(closed->first);
        ASSERT_EQ(check.from, replica(closed->second.first));
        ASSERT_EQ(check.batch.header, closed->second.second.header);
        open.erase(closed);
        continue;
      }
      const auto peer = static_cast<std::uint16_t>(random.below(peers));
      const std::uint64_t most = random.below(4) == 0 ? batch_bytes_max : 9'000;
      const StoredBatch copy =
          batch(random.between(1, 60), static_cast<std::uint32_t>(random.between(1, most)));
      std::size_t checks = 0;
      std::uint64_t bytes = 0;
      std::uint64_t bytes_of_all = 0;
      bool duplicate = false;
      for (const auto& [check, what] : open) {
        bytes_of_all += what.second.payload.bytes;
        checks += what.first == peer ? 1U : 0U;
        bytes += what.first == peer ? what.second.payload.bytes : 0U;
        duplicate |= what.first == peer && what.second.header.batch == copy.header.batch;
      }
      const std::uint64_t share =
          std::max<std::uint64_t>(batch_bytes_max + proof_bytes_max, (8U << 20) / peers);
      const bool table_full = open.size() == 128 || bytes_of_all + copy.payload.bytes > (8U << 20);
      const bool share_full =
          checks >= std::max<std::size_t>(1, 128 / peers) || bytes + copy.payload.bytes > share;
      const auto opening = table.open(replica(peer), copy);
      ASSERT_EQ(opening.outcome, table_full   ? Outcome::no_room
                                 : duplicate  ? Outcome::duplicate
                                 : share_full ? Outcome::no_room
                                              : Outcome::opened);
      if (opening.outcome == Outcome::opened) {
        ASSERT_TRUE(open.emplace(opening.check, std::make_pair(peer, copy)).second);
      }
    }
  }
}

TEST(CheckTableDeathTest, an_answer_that_nobody_waits_for_is_our_bug) {
  CheckTable table(8);
  const auto opening = table.open(replica(0), batch(1));
  table.close(opening.check);
  EXPECT_DEATH(table.close(opening.check), "open");
  EXPECT_DEATH(table.close(128), "entries_.size");
}

}  // namespace
}  // namespace mallard::bridge
