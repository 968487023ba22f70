#include "rsm/replica/snapshot_source.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "crypto/sodium.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm {
namespace {

constexpr memory::ProcessIndex peer{2};

class SnapshotSourceTest : public testing::Test, private PeerPort {
 protected:
  SnapshotSourceTest() { crypto::start_sodium(); }
  bool send(memory::ProcessIndex to, const PeerMessage& message) override {
    EXPECT_EQ(to, peer);
    sent = std::get<SnapshotPiece>(message);
    const ByteView body = pool.view(sent->body);
    bytes.assign(body.begin(), body.end());
    return true;
  }
  // A file of `size` bytes whose state ends at `lsn`.
  void keep(std::uint8_t slot, cft::Lsn lsn, std::size_t size) {
    SnapshotWriter writer(disk);
    ASSERT_TRUE(writer.begin());
    ASSERT_TRUE(writer.append(std::vector<std::byte>(size, static_cast<std::byte>(lsn))));
    ASSERT_TRUE(writer.publish(slot));
    StoredSnapshot stored{.slot = slot, .bytes = size};
    stored.head.end.lsn = lsn;
    stored.digest.bytes[0] = static_cast<std::uint8_t>(lsn);
    stored.peers_digest.bytes[1] = static_cast<std::uint8_t>(lsn);
    kept.keep(stored);
  }
  bool ask(cft::Lsn at_least, std::uint8_t snapshot = 0, std::uint64_t offset = 0) {
    sent.reset();
    SnapshotWanted wanted{.at_least = at_least, .offset = offset};
    wanted.snapshot.bytes[1] = snapshot;
    return source.answer(peer, wanted, kept);
  }

  journal::SimDisk disk{1};
  PayloadPool pool{PayloadPool::slot_bytes_max};
  KeptSnapshots kept;
  std::optional<SnapshotPiece> sent;
  std::vector<std::byte> bytes;
  SnapshotSource source{{disk, pool, *this}};
};

TEST_F(SnapshotSourceTest, GivesTheNewestFromItsBeginning) {
  keep(0, 64, 1000);
  keep(1, 128, 300'000);
  EXPECT_TRUE(ask(100));
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->snapshot, kept.newest()->peers_digest);
  EXPECT_EQ(sent->bytes, 300'000U);
  EXPECT_EQ(sent->offset, 0U);
  EXPECT_EQ(bytes.size(), snapshot_piece_bytes_max);
  EXPECT_TRUE(ask(100, 128, snapshot_piece_bytes_max));
  EXPECT_EQ(sent->offset, snapshot_piece_bytes_max);
  EXPECT_EQ(bytes.size(), 300'000 - snapshot_piece_bytes_max);
  EXPECT_EQ(pool.free_bytes(), pool.capacity());
}

TEST_F(SnapshotSourceTest, GoesOnWithTheOneThatWasBegun) {
  keep(0, 64, 1000);
  keep(1, 128, 1000);
  EXPECT_TRUE(ask(10, 64, 500));
  EXPECT_EQ(sent->snapshot.bytes[1], 64);
  EXPECT_EQ(sent->offset, 500U);
  EXPECT_EQ(bytes, std::vector<std::byte>(500, std::byte{64}));
  keep(0, 192, 1000);
  EXPECT_TRUE(ask(10, 64, 500)) << "it is gone: another from its beginning";
  EXPECT_EQ(sent->snapshot.bytes[1], 192);
  EXPECT_EQ(sent->offset, 0U);
  EXPECT_EQ(bytes[0], std::byte{192});
}

TEST_F(SnapshotSourceTest, SaysWhereNoneReachesSoFar) {
  EXPECT_FALSE(ask(10));
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->bytes, 0U);
  keep(0, 64, 1000);
  EXPECT_FALSE(ask(65));
  EXPECT_FALSE(ask(65, 64, 10));
  EXPECT_EQ(source.counters().not_yet, 3U);
}

TEST_F(SnapshotSourceTest, AnOffsetBehindTheEndBeginsAgain) {
  keep(0, 64, 1000);
  EXPECT_TRUE(ask(10, 64, 1000));
  EXPECT_EQ(sent->offset, 0U);
  EXPECT_TRUE(ask(10, 64, UINT64_MAX));
  EXPECT_EQ(sent->offset, 0U);
}

}  // namespace
}  // namespace mallard::rsm
