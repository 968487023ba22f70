#include "rsm/replica/snapshot/snapshot_files.h"

#include <gtest/gtest.h>

#include "crypto/sodium.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm {
namespace {

class SnapshotFilesTest : public testing::Test {
 protected:
  SnapshotFilesTest() { crypto::start_sodium(); }

  // Writes a small snapshot that ends at `lsn`; without publishing it.
  void write(std::uint64_t lsn) {
    ASSERT_TRUE(writer.begin());
    frames.begin();
    SnapshotHead head{.end = {.lsn = lsn, .ballot = cft::Ballot(1)}, .members = {.set = 7}};
    head.state.index = CommitIndex(1);
    add(FrameKind::head, write_head(head, frames.payload()));
    add(FrameKind::state, 1000);
    add(FrameKind::end, write_end({journal::EntryIndex(lsn / 64), journal::Term(1)}, frames.payload()));
  }
  void add(FrameKind kind, std::size_t bytes) { ASSERT_TRUE(writer.append(frames.seal(kind, bytes))); }

  journal::SimDisk disk{1};
  SnapshotWriter writer{disk};
  SnapshotReader reader{disk};
  FrameWriter frames;
};

TEST_F(SnapshotFilesTest, APublishedSnapshotSurvivesAPowerCut) {
  write(640);
  ASSERT_TRUE(writer.publish(1));
  disk.restart(journal::SimDisk::Loss::everything);
  EXPECT_FALSE(verify_snapshot(reader, 0));
  const auto stored = verify_snapshot(reader, 1);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->head.end.lsn, 640U);
  EXPECT_EQ(stored->end.index, journal::EntryIndex(10));
  EXPECT_EQ(stored->digest, frames.chain());
  EXPECT_EQ(stored->bytes + end_frame_bytes, disk.image().at("snapshot.1").size());
  EXPECT_NE(stored->peers_digest, stored->digest);
}

TEST_F(SnapshotFilesTest, OneThatIsBeingWrittenIsNone) {
  write(640);
  ASSERT_TRUE(writer.publish(0));
  write(1280);
  disk.restart(journal::SimDisk::Loss::none);
  EXPECT_EQ(verify_snapshot(reader, 0)->head.end.lsn, 640U);
  EXPECT_FALSE(verify_snapshot(reader, 1));
  SnapshotWriter next(disk);
  EXPECT_TRUE(next.begin()) << "what was left of it is in nobody's way";
}

TEST_F(SnapshotFilesTest, ACutLengthenedOrUnreadableFileIsNone) {
  write(640);
  ASSERT_TRUE(writer.publish(0));
  const journal::DiskImage good = disk.image();
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, good.at("snapshot.0").size() - 1,
        good.at("snapshot.0").size() - end_frame_bytes, good.at("snapshot.0").size() + 1}) {
    journal::DiskImage image = good;
    image["snapshot.0"].resize(bytes);
    disk.restore(image);
    EXPECT_FALSE(verify_snapshot(reader, 0)) << bytes;
  }
  disk.restore(good);
  EXPECT_TRUE(verify_snapshot(reader, 0));
  disk.make_unreadable("snapshot.0", 512);
  EXPECT_FALSE(verify_snapshot(reader, 0));
}

TEST(KeptSnapshots, TheNextTakesThePlaceOfTheOlder) {
  KeptSnapshots kept;
  EXPECT_EQ(kept.newest(), nullptr);
  EXPECT_EQ(kept.older(), nullptr);
  EXPECT_EQ(kept.next_slot(), 0);
  StoredSnapshot snapshot{.slot = 0};
  snapshot.head.end.lsn = 64;
  kept.keep(snapshot);
  EXPECT_EQ(kept.next_slot(), 1);
  EXPECT_EQ(kept.older(), nullptr);
  snapshot.slot = 1;
  snapshot.head.end.lsn = 128;
  kept.keep(snapshot);
  EXPECT_EQ(kept.newest()->head.end.lsn, 128U);
  EXPECT_EQ(kept.older()->head.end.lsn, 64U);
  EXPECT_EQ(kept.next_slot(), 0);
}

}  // namespace
}  // namespace mallard::rsm
