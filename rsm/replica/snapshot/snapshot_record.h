// What the frames of a snapshot say, and in which order they come:
//
//   snapshot  head, { link, batch ... } for each outbound link, state, state ..., end
//
//   head      "MLDSNAP1", u64 position, u32 chain, u64 ballot (where the next entry of the log begins),
//             u64 members, u32 epoch, u64 index and 32 bytes hash of the state, u16 links
//   link      u16 link, u32 generation, u64 newest batch, u64 its last message
//   batch     u16 link, u64 batch, u64 first message, u16 messages, each message as u32 length and its bytes
//   state     a chunk as the machine exports it
//   end       u64 journal index, u64 term: the owner's own; all before it is the same for who installs it
//
// Batches rise; before a gap, all was QUACKed while the snapshot was written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "config/contract/machine.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/members.h"
#include "rsm/replica/egress_log.h"
#include "rsm/replica/journal/entry.h"
#include "rsm/replica/snapshot/snapshot_frame.h"

namespace mallard::rsm {

struct SnapshotHead {
  cft::LogMark end;  // the state is that behind the entry that ends here
  cft::Members members;
  StateIdentity state;
  std::uint16_t links = 0;  // link frames that follow
  friend bool operator==(const SnapshotHead&, const SnapshotHead&) = default;
};

// An outbound link as of the snapshot, without what is readable: that are the batches that follow.
struct SnapshotLink {
  LinkIndex link;
  Generation generation;
  BatchNumber newest;
  MessageNumber newest_message;
  friend bool operator==(const SnapshotLink&, const SnapshotLink&) = default;
};

struct SnapshotBatch {
  LinkIndex link;
  EgressBatch batch;
  ByteView body;
};

struct SnapshotEnd {
  journal::EntryIndex index;
  journal::Term term;
  friend bool operator==(const SnapshotEnd&, const SnapshotEnd&) = default;
};

inline constexpr std::size_t batch_record_bytes = 20;
inline constexpr std::size_t end_frame_bytes = frame_head_bytes + 16 + frame_digest_bytes;
static_assert(egress_bytes_min + batch_record_bytes <= frame_payload_bytes_max);
static_assert(chunk_bytes_max <= frame_payload_bytes_max);

// Each writes to the front of `out` and returns the length of the payload.
std::size_t write_head(const SnapshotHead& head, ByteSpan out);
std::size_t write_link(const SnapshotLink& link, ByteSpan out);
// The body goes behind, by the caller.
std::size_t write_batch(LinkIndex link, const EgressBatch& batch, ByteSpan out);
std::size_t write_end(const SnapshotEnd& end, ByteSpan out);

// Nothing unless the payload is what was written as such. Any bytes.
[[nodiscard]] std::optional<SnapshotHead> read_head(ByteView payload);
[[nodiscard]] std::optional<SnapshotLink> read_link(ByteView payload);
[[nodiscard]] std::optional<SnapshotBatch> read_batch(ByteView payload);
[[nodiscard]] std::optional<SnapshotEnd> read_end(ByteView payload);

// Whether frames come in the order of a snapshot, and say what can be.
class SnapshotOrder {
 public:
  // False: the frames up to here are no snapshot.
  [[nodiscard]] bool take(const SnapshotFrame& frame);
  // After the first frame.
  [[nodiscard]] const SnapshotHead& head() const { return head_; }
  [[nodiscard]] const std::optional<SnapshotEnd>& end() const { return end_; }
  // All has come but for the owner's own end.
  [[nodiscard]] bool is_complete() const { return has_state_ && !end_; }

 private:
  [[nodiscard]] bool take_link(ByteView payload);
  [[nodiscard]] bool take_batch(ByteView payload);

  bool begun_ = false;
  bool has_state_ = false;
  SnapshotHead head_;
  std::uint32_t links_ = 0;
  std::optional<SnapshotLink> link_;
  BatchNumber batch_;  // the last of that link
  std::optional<SnapshotEnd> end_;
};

}  // namespace mallard::rsm
