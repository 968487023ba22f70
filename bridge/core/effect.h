// Everything that a bridge core can order. Orders only; this file and event.h are its whole language.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>

#include "bridge/core/frame.h"
#include "config/base/fixed_vector.h"
#include "config/base/ids.h"
#include "config/base/limits.h"
#include "config/base/payload_ref.h"

namespace mallard::bridge {

// Send one frame to a peer whose channel is up. A batch's payload is borrowed: the shell adds a reference of
// its own for as long as the channel needs the bytes. A frame that cannot be queued is simply lost. For each
// link in `acks` and `positions` the encoder asks the core for the section (ack_of, position_of) before the
// next step.
struct SendFrame : FrameHead {
  ReplicaAddress to;
  Lane lane = Lane::control;
  FixedVector<LinkIndex, sections_per_frame_max> acks;
  FixedVector<LinkIndex, sections_per_frame_max> positions;
};

// Read the local log on an outbound link from the batch after `after` on, whenever accepts_commit(link) says
// so.
struct StartTap {
  LinkIndex link;
  BatchNumber after;
};

// Is this batch what the source cluster decided? Answer with CertificateChecked{link, check}. The payload
// stays the core's.
struct CheckCertificate {
  LinkIndex link;
  std::uint32_t check = 0;
  BatchHeader header;
  PayloadRef payload;
  std::uint16_t proof_bytes = 0;
};

// Submit the next batch to the destination RSM: batches of a link come in order and without gaps. The RSM
// applies it only where it continues its cursor, and generation and fence match; else it is a no-op. Answered
// by Applied once it is durable. The payload stays the core's until then.
struct Apply {
  LinkContext context;
  Fence fence;
  BatchHeader header;
  PayloadRef payload;
  std::uint16_t proof_bytes = 0;
};

// Read a batch that was applied long ago back from storage, for a peer of the own cluster. Answer with
// BatchLoaded.
struct LoadBatch {
  LinkIndex link;
  BatchNumber batch;
  ReplicaIndex for_peer;
};

// Everything up to `through` on this outbound link is held durably by a correct replica of the destination.
struct Quacked {
  LinkIndex link;
  BatchNumber through;
};

// The core gives one reference to a payload back.
struct Release {
  PayloadRef payload;
};

// The peer broke the protocol in a way that no correct gateway can: close its channel.
struct ClosePeer {
  ReplicaAddress peer;
  const char* reason = "";  // a literal
};

using Effect =
    std::variant<SendFrame, StartTap, CheckCertificate, Apply, LoadBatch, Quacked, Release, ClosePeer>;

// Room for the most that one step may order. What does not fit waits for an immediate deadline.
inline constexpr std::size_t effects_per_step_max = 256;
using Effects = FixedVector<Effect, effects_per_step_max>;

}  // namespace mallard::bridge
