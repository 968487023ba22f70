#include "rsm/replica/snapshot/snapshot_frame.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "config/base/prng.h"
#include "crypto/sodium.h"

namespace mallard::rsm {
namespace {

class SnapshotFrameTest : public testing::Test {
 protected:
  SnapshotFrameTest() { crypto::start_sodium(); }

  void add(FrameKind kind, std::string_view payload) {
    ByteWriter(writer.payload()).write_bytes(std::as_bytes(std::span(payload)));
    const ByteView frame = writer.seal(kind, payload.size());
    bytes.insert(bytes.end(), frame.begin(), frame.end());
  }
  // The payloads that come out of the bytes, in pieces of at most `piece`; "!" where they are damaged.
  std::vector<std::string> parse(std::size_t piece) {
    std::vector<std::string> payloads;
    parser.begin();
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      ByteView rest = ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at));
      for (FrameOutcome outcome = parser.take(rest); outcome != FrameOutcome::more;
           outcome = parser.take(rest)) {
        if (outcome == FrameOutcome::damaged) {
          payloads.emplace_back("!");
          return payloads;
        }
        payloads.emplace_back();
        for (const std::byte b : parser.frame().payload) {
          payloads.back().push_back(static_cast<char>(b));
        }
      }
    }
    return payloads;
  }

  FrameWriter writer;
  FrameParser parser;
  std::vector<std::byte> bytes;
};

TEST_F(SnapshotFrameTest, FramesComeOutOfPiecesOfAnySize) {
  const std::vector<std::string> all{"head", "", std::string(5000, 'x'), "end"};
  for (const std::string& payload : all) {
    add(FrameKind::state, payload);
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    EXPECT_EQ(parse(piece), all);
    EXPECT_TRUE(parser.at_boundary());
    EXPECT_EQ(parser.chain(), writer.chain());
  }
  bytes.pop_back();
  parse(100);
  EXPECT_FALSE(parser.at_boundary());
}

TEST_F(SnapshotFrameTest, AnyChangedByteIsNoticed) {
  add(FrameKind::head, "head");
  add(FrameKind::state, "some state");
  add(FrameKind::end, "the end");
  const std::vector<std::byte> good = bytes;
  Prng prng(1);
  for (std::size_t at = 0; at < good.size(); ++at) {
    bytes = good;
    bytes[at] ^= static_cast<std::byte>(1U << prng.below(8));
    const auto payloads = parse(64);
    EXPECT_TRUE(payloads.size() < 3 || payloads.back() == "!") << at;
  }
}

// A frame that verified once says nothing in another snapshot, or in another place of this one.
TEST_F(SnapshotFrameTest, AFrameVerifiesInItsPlaceOnly) {
  add(FrameKind::head, "one");
  const std::vector<std::byte> head = bytes;
  add(FrameKind::state, "state");
  const std::vector<std::byte> state(bytes.begin() + static_cast<std::ptrdiff_t>(head.size()), bytes.end());
  bytes.insert(bytes.end(), state.begin(), state.end());
  EXPECT_EQ(parse(1000), (std::vector<std::string>{"one", "state", "!"}));
  bytes.clear();
  writer.begin();
  add(FrameKind::head, "two");
  bytes.insert(bytes.end(), state.begin(), state.end());
  EXPECT_EQ(parse(1000), (std::vector<std::string>{"two", "!"}));
}

TEST_F(SnapshotFrameTest, LengthsAndKindsHaveLimits) {
  bytes.assign(frame_head_bytes, std::byte{0});
  ByteWriter head(bytes);
  head.write(static_cast<std::uint32_t>(frame_payload_bytes_max + 1));
  head.write(std::uint8_t{1});
  bytes.resize(64);
  EXPECT_EQ(parse(64), std::vector<std::string>{"!"});
  for (const std::uint8_t kind : {std::uint8_t{0}, std::uint8_t{6}}) {
    ByteWriter other(bytes);
    other.write(std::uint32_t{1});
    other.write(kind);
    EXPECT_EQ(parse(64), std::vector<std::string>{"!"});
  }
}

}  // namespace
}  // namespace mallard::rsm
