// Everything that can happen to a bridge core. Facts only; this file and effect.h are its whole language.
#pragma once

#include <cstdint>
#include <variant>

#include "bridge/core/frame.h"
#include "config/base/ids.h"
#include "config/base/payload_ref.h"

namespace mallard::bridge {

// A channel to `peer` is open: a new session, in which neither side has heard a stamp of the other yet.
struct PeerUp {
  ReplicaAddress peer;
};

// The channel to `peer` is gone; frames on their way may be lost.
struct PeerDown {
  ReplicaAddress peer;
};

// The next batch of the local log on an outbound link, in order, asked for by StartTap and accepts_commit().
// The core takes over one reference to the payload.
struct BatchCommitted {
  LinkIndex link;
  BatchHeader header;
  PayloadRef payload;
  std::uint16_t proof_bytes = 0;
};

// How far the local log reaches on an outbound link, and from where on its batches can still be read. Both
// may be told at any time and never go back.
struct LogExtent {
  LinkIndex link;
  BatchNumber oldest_readable;
  BatchNumber newest;
  MessageNumber newest_message;
};

// A frame came in over the channel of `from`, which authenticated it. If it has a batch, the core takes over
// one reference to its payload. Views in it are valid during the step only.
struct FrameArrived {
  ReplicaAddress from;
  Frame frame;
};

// The answer to CheckCertificate.
struct CertificateChecked {
  LinkIndex link;
  std::uint32_t check = 0;
  bool valid = false;
};

// The destination RSM has applied an inbound link's batches up to `cursor` and would still know it after a
// crash.
struct Applied {
  LinkIndex link;
  BatchNumber cursor;
  MessageNumber cursor_message;
};

// The answer to LoadBatch. When found, the core takes over one reference to the payload.
struct BatchLoaded {
  LinkIndex link;
  ReplicaIndex for_peer;
  bool found = false;
  BatchHeader header;
  PayloadRef payload;
  std::uint16_t proof_bytes = 0;
};

using Event = std::variant<PeerUp, PeerDown, BatchCommitted, LogExtent, FrameArrived, CertificateChecked,
                           Applied, BatchLoaded>;

}  // namespace mallard::bridge
