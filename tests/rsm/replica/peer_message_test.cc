#include "rsm/replica/peer_message.h"

#include <gtest/gtest.h>

#include <array>

namespace mallard::rsm {
namespace {

crypto::Digest digest(std::uint8_t byte) {
  crypto::Digest digest;
  digest.bytes.fill(byte);
  return digest;
}

std::vector<std::byte> head_of(const PeerMessage& message) {
  std::vector<std::byte> head(peer_head_bytes_max);
  head.resize(encode_peer_message(message, head));
  return head;
}

TEST(PeerMessage, EachComesBackAsItWasSent) {
  const SnapshotWanted wanted{.at_least = 6400, .snapshot = digest(7), .offset = 99};
  const auto got = decode_peer_message(head_of(wanted), {});
  ASSERT_TRUE(got);
  EXPECT_EQ(std::get<SnapshotWanted>(*got), wanted);
  const PayloadRef body{.slot = 3, .bytes = 100};
  const auto piece = decode_peer_message(head_of(SnapshotPiece{digest(8), 500, 400, body}), body);
  ASSERT_TRUE(piece);
  EXPECT_EQ(std::get<SnapshotPiece>(*piece).snapshot, digest(8));
  EXPECT_EQ(std::get<SnapshotPiece>(*piece).bytes, 500U);
  EXPECT_EQ(std::get<SnapshotPiece>(*piece).offset, 400U);
  EXPECT_EQ(body_of(*piece), body);
  EXPECT_EQ(body_of(*got), PayloadRef{});
  EXPECT_TRUE(decode_peer_message(head_of(SnapshotPiece{}), {}));
  const StoreSeen seen{.own = {Incarnation(1), 2, 3}, .yours = {Incarnation(4), 5, 6}};
  const auto told = decode_peer_message(head_of(seen), {});
  ASSERT_TRUE(told);
  EXPECT_EQ(std::get<StoreSeen>(*told), seen);
}

TEST(PeerMessage, WhatCannotBeIsNone) {
  const PayloadRef body{.slot = 3, .bytes = 100};
  EXPECT_FALSE(decode_peer_message(head_of(SnapshotWanted{}), body)) << "it has no body";
  EXPECT_FALSE(decode_peer_message(head_of(StoreSeen{}), body)) << "nor has this";
  EXPECT_FALSE(decode_peer_message(head_of(SnapshotPiece{digest(1), 500, 0, {}}), {})) << "no bytes";
  EXPECT_FALSE(decode_peer_message(head_of(SnapshotPiece{digest(1), 500, 401, body}), body)) << "too many";
  EXPECT_FALSE(decode_peer_message(head_of(SnapshotPiece{digest(1), 500, 501, body}), body));
  EXPECT_FALSE(decode_peer_message(head_of(SnapshotPiece{digest(1), 500, UINT64_MAX, body}), body));
  EXPECT_FALSE(decode_peer_message(head_of(SnapshotPiece{}), body));
  const PayloadRef large{.slot = 3, .bytes = snapshot_piece_bytes_max + 1};
  EXPECT_FALSE(decode_peer_message(head_of(SnapshotPiece{digest(1), 1U << 30U, 0, large}), large));
  EXPECT_FALSE(decode_peer_message(std::array{std::byte{9}}, {}));
  EXPECT_FALSE(decode_peer_message({}, {}));
}

TEST(PeerMessage, CutAndLongHeadsAreNone) {
  const PayloadRef body{.slot = 3, .bytes = 100};
  std::vector<std::byte> head = head_of(SnapshotPiece{digest(8), 500, 400, body});
  for (std::size_t cut = 0; cut < head.size(); ++cut) {
    EXPECT_FALSE(decode_peer_message(ByteView(head).first(cut), body));
  }
  head.push_back(std::byte{0});
  EXPECT_FALSE(decode_peer_message(head, body));
  for (const PeerMessage& bodiless : {PeerMessage(SnapshotWanted{}), PeerMessage(StoreSeen{})}) {
    std::vector<std::byte> other = head_of(bodiless);
    for (std::size_t cut = 0; cut < other.size(); ++cut) {
      EXPECT_FALSE(decode_peer_message(ByteView(other).first(cut), {}));
    }
    other.push_back(std::byte{0});
    EXPECT_FALSE(decode_peer_message(other, {}));
  }
}

}  // namespace
}  // namespace mallard::rsm
