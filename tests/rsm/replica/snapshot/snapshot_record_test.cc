#include "rsm/replica/snapshot/snapshot_record.h"

#include <gtest/gtest.h>

#include <vector>

namespace mallard::rsm {
namespace {

SnapshotHead sample_head(std::uint16_t links) {
  SnapshotHead head{.end = {.lsn = 6400, .chain = 77, .ballot = cft::Ballot(9)},
                    .members = {.set = 7, .epoch = Epoch(2)},
                    .links = links};
  head.state.index = CommitIndex(100);
  head.state.hash.bytes[3] = 5;
  return head;
}

// The payloads of a snapshot, by hand.
class SnapshotRecordTest : public testing::Test {
 protected:
  bool head(std::uint16_t links) { return take(FrameKind::head, write_head(sample_head(links), room)); }
  bool link(std::uint16_t number, std::uint64_t newest) {
    return take(
        FrameKind::link,
        write_link({LinkIndex(number), Generation(1), BatchNumber(newest), MessageNumber(newest)}, room));
  }
  bool batch(std::uint16_t number, std::uint64_t batch, std::uint16_t count = 1) {
    const std::size_t used =
        write_batch(LinkIndex(number), {BatchNumber(batch), MessageNumber(batch), count, 6}, room);
    ByteWriter body(ByteSpan(room).subspan(used));
    body.write(std::uint32_t{2});
    body.write(std::uint16_t{99});
    return take(FrameKind::batch, used + 6);
  }
  bool state() { return take(FrameKind::state, 10); }
  bool end() { return take(FrameKind::end, write_end({journal::EntryIndex(3), journal::Term(4)}, room)); }
  bool take(FrameKind kind, std::size_t bytes) { return order.take({kind, ByteView(room).first(bytes)}); }

  std::vector<std::byte> room = std::vector<std::byte>(1024);
  SnapshotOrder order;
};

TEST_F(SnapshotRecordTest, EachComesBackAsItWasWritten) {
  EXPECT_EQ(read_head(ByteView(room).first(write_head(sample_head(2), room))), sample_head(2));
  const SnapshotLink link{LinkIndex(3), Generation(4), BatchNumber(5), MessageNumber(6)};
  EXPECT_EQ(read_link(ByteView(room).first(write_link(link, room))), link);
  const SnapshotEnd end{journal::EntryIndex(7), journal::Term(8)};
  EXPECT_EQ(read_end(ByteView(room).first(write_end(end, room))), end);
}

TEST_F(SnapshotRecordTest, CutOrLongPayloadsAreNone) {
  const std::size_t bytes = write_head(sample_head(2), room);
  for (std::size_t cut = 0; cut < bytes; ++cut) {
    EXPECT_FALSE(read_head(ByteView(room).first(cut)));
  }
  EXPECT_FALSE(read_head(ByteView(room).first(bytes + 1)));
  EXPECT_FALSE(read_link(ByteView(room).first(5)));
  EXPECT_FALSE(read_batch(ByteView(room).first(5)));
  EXPECT_FALSE(read_end(ByteView(room).first(5)));
}

TEST_F(SnapshotRecordTest, FramesComeInOrder) {
  EXPECT_TRUE(head(2) && link(0, 9) && batch(0, 4) && batch(0, 5) && batch(0, 9) && link(3, 1) && state());
  EXPECT_TRUE(order.is_complete());
  EXPECT_TRUE(state() && end());
  EXPECT_FALSE(order.is_complete());
  EXPECT_EQ(order.head(), sample_head(2));
  EXPECT_EQ(order.end()->index, journal::EntryIndex(3));
  EXPECT_FALSE(state()) << "nothing comes behind the end";
}

TEST_F(SnapshotRecordTest, NothingComesBeforeTheHeadOrTwice) {
  EXPECT_FALSE(state());
  EXPECT_TRUE(head(0));
  EXPECT_FALSE(head(0));
}

TEST_F(SnapshotRecordTest, LinksRiseAndAreAsManyAsAnnounced) {
  EXPECT_TRUE(head(2) && link(3, 9));
  EXPECT_FALSE(SnapshotOrder(order).take({FrameKind::state, {}})) << "one is missing";
  EXPECT_FALSE(link(3, 9));
  EXPECT_FALSE(link(2, 9));
  EXPECT_TRUE(link(4, 9));
  EXPECT_FALSE(link(5, 9));
}

TEST_F(SnapshotRecordTest, BatchesBelongToTheirLinkAndRise) {
  EXPECT_TRUE(head(1));
  EXPECT_FALSE(batch(0, 1));
  EXPECT_TRUE(link(0, 5) && batch(0, 3));
  EXPECT_FALSE(batch(0, 3));
  EXPECT_FALSE(batch(1, 4));
  EXPECT_FALSE(batch(0, 6));
  EXPECT_FALSE(batch(0, 4, 2)) << "it has one message";
  EXPECT_TRUE(batch(0, 4));
  EXPECT_FALSE(end()) << "without a state";
}

}  // namespace
}  // namespace mallard::rsm
