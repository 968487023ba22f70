// What replicas of one cluster say to each other beside their one-sided memory. Each is the head of a frame,
// and perhaps a body. Little-endian: u8 kind, then the fields in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "config/base/bytes.h"
#include "config/base/payload_ref.h"
#include "config/contract/one_sided.h"
#include "crypto/digest.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/replica/journal/witness.h"

namespace mallard::rsm {

// Asks for the bytes of a snapshot whose state reaches at least `at_least`: of `snapshot` from `offset` on
// where it is still there, else of another from its beginning. Answered by one SnapshotPiece.
struct SnapshotWanted {
  cft::Lsn at_least = 0;
  crypto::Digest snapshot;  // of its last frame but the owner's own; zeros: any
  std::uint64_t offset = 0;
  friend bool operator==(const SnapshotWanted&, const SnapshotWanted&) = default;
};

// The body: bytes of the snapshot from `offset` on, 1 to snapshot_piece_bytes_max and as many as there are.
// No body, and `bytes` 0: there is none that reaches so far yet.
struct SnapshotPiece {
  crypto::Digest snapshot;
  std::uint64_t bytes = 0;  // of all pieces
  std::uint64_t offset = 0;
  PayloadRef body;
};

// How far the sender's store is, and the furthest that it has ever heard of the receiver's: a disk that went
// back to what it was does not know it by itself (reliability.md I9). Said whenever two replicas meet, and
// again as the own one grows. Incarnation 0: nothing was heard.
struct StoreSeen {
  journal::Witness own;
  journal::Witness yours;
  friend bool operator==(const StoreSeen&, const StoreSeen&) = default;
};

using PeerMessage = std::variant<SnapshotWanted, SnapshotPiece, StoreSeen>;

inline constexpr std::size_t peer_head_bytes_max = 64;
inline constexpr std::size_t snapshot_piece_bytes_max = 256U << 10;

// The head of the message, to the front of `out`, which has room for peer_head_bytes_max; its length.
std::size_t encode_peer_message(const PeerMessage& message, ByteSpan out);
// Nothing unless head and body are one of the messages. Any bytes.
[[nodiscard]] std::optional<PeerMessage> decode_peer_message(ByteView head, PayloadRef body);
// The message's body; the empty reference if it has none.
[[nodiscard]] PayloadRef body_of(const PeerMessage& message);

// Where messages to other replicas go. Tests stand in for it.
class PeerPort {
 public:
  virtual ~PeerPort() = default;
  // False: not connected, or no room; the message is lost. The caller keeps its reference to the body.
  virtual bool send(memory::ProcessIndex to, const PeerMessage& message) = 0;
};

}  // namespace mallard::rsm
