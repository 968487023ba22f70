// What gateways say to each other, decoded. One frame carries at most one batch, and any number (within
// limits) of acknowledgements, link positions and one pull request, of any of the links that the two gateways
// share.
#pragma once

#include <cstdint>

#include "config/base/bytes.h"
#include "config/base/fixed_vector.h"
#include "config/base/ids.h"
#include "config/base/limits.h"
#include "config/base/payload_ref.h"

namespace mallard::bridge {

// The time at which a gateway issued a frame, in microseconds of its own clock, at least 1 and below 2^48. A
// peer only echoes it. 0 means "none". Picsou leaves open when a repeated acknowledgement is a complaint;
// stamps decide it by cause and effect: what an echo says was said after the stamped frame arrived.
using Stamp = StrongId<struct StampTag, std::uint64_t>;
inline constexpr std::uint64_t stamp_max = (1ULL << 48) - 1;

// How a frame travels. Control frames overtake data frames, so that acknowledgements of the other cluster and
// pulls never wait behind batches. Whatever asks for an acknowledgement goes on the data lane: its echo then
// tells how long a batch takes, queues included, and arrives only after the batches before it.
enum class Lane : std::uint8_t { control, data };

// What a number on a link depends on. A section counts only where all three equal the receiver's own.
struct LinkContext {
  LinkIndex link;
  Generation generation;
  Epoch source_epoch;
  Epoch destination_epoch;
  friend constexpr bool operator==(const LinkContext&, const LinkContext&) = default;
};

// Names the consecutive messages of one batch: first, first + 1, ... first + count - 1. count is 1 to
// batch_messages_max.
struct BatchHeader {
  BatchNumber batch;
  MessageNumber first;
  std::uint16_t count = 0;
  [[nodiscard]] MessageNumber last() const { return MessageNumber(first.value + count - 1U); }
  friend constexpr bool operator==(const BatchHeader&, const BatchHeader&) = default;
};

// One batch with its bytes. Whoever holds the value owns one reference to the payload, unless it says
// otherwise.
struct StoredBatch {
  BatchHeader header;
  PayloadRef payload;
  std::uint16_t proof_bytes = 0;
};

// One batch on its way. Between clusters it is a send, inside a cluster a share.
struct BatchSection {
  LinkContext context;
  BatchHeader header;
  std::uint32_t round = 0;   // which pass through the share walk; saturates at 255 on the wire
  std::uint8_t attempt = 0;  // which pair of the walk
  BatchNumber quacked;       // the sender's highest QUACKed batch (the hint of Picsou section 4.3); 0: none
  PayloadRef payload;  // the batch's messages, each as u32 length and bytes, followed by proof_bytes of proof
  std::uint16_t proof_bytes = 0;
};

// The delivery status of the batches after a prefix: bit i is batch prefix + 1 + i, set when received; bit 0
// is therefore 0 (Picsou section 4.2, phi-list). A view of the frame's bytes, whole little-endian words.
class PhiList {
 public:
  PhiList() = default;
  explicit PhiList(ByteView words) : words_(words) {}
  [[nodiscard]] std::size_t words() const { return words_.size() / 8; }
  [[nodiscard]] std::uint64_t word(std::size_t index) const {
    return index < words() ? ByteReader(words_.subspan(index * 8)).read<std::uint64_t>() : 0;
  }
  [[nodiscard]] ByteView bytes() const { return words_; }

 private:
  ByteView words_;
};

// What a replica of the destination has of one link. `prefix` and `phi` are volatile and serve loss detection
// and windows only; `durable` survives a crash and is the only thing that QUACKs and garbage collection
// count.
struct AckSection {
  LinkContext context;
  BatchNumber prefix;   // highest batch up to which everything was received
  BatchNumber durable;  // that replica's applied cursor; never above prefix
  PhiList phi;
};

// How far a replica of the source is: so that a destination knows its lag while nothing arrives.
struct PositionSection {
  LinkContext context;
  BatchNumber quacked;
  BatchNumber committed;            // newest batch of this replica's log on the link
  MessageNumber committed_message;  // its last message
};

// Asks a peer of the own cluster for batches.
struct PullSection {
  LinkContext context;
  FixedVector<BatchNumber, pulls_per_frame_max> batches;
};

// What a frame says the same way before it is encoded and after it was decoded.
struct FrameHead {
  Stamp stamp;  // when this frame was issued, by its sender's clock
  Stamp echo;   // highest stamp of a frame of the receiver's that wanted an acknowledgement
  std::uint32_t echo_delay_us = 0;  // how long the sender held that stamp before it issued this frame
  bool wants_ack = false;  // the sender asks for its stamp to be echoed within the acknowledgement interval
  bool has_batch = false;
  bool has_pull = false;
  BatchSection batch;
  PullSection pull;
};

struct Frame : FrameHead {
  FixedVector<AckSection, sections_per_frame_max> acks;
  FixedVector<PositionSection, sections_per_frame_max> positions;
};

}  // namespace mallard::bridge
