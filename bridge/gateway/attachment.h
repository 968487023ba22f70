// The port between a gateway and the RSM that it sits beside. One attachment serves all links of its replica.
// All calls come from the gateway's loop; none blocks: slow work goes on elsewhere and is reported by poll().
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "bridge/core/effect.h"
#include "bridge/core/event.h"
#include "bridge/core/frame.h"
#include "config/base/ids.h"
#include "config/base/payload_ref.h"

namespace mallard::bridge {

// Where this replica's RSM stands on an inbound link.
struct AppliedCursor {
  BatchNumber batch;
  MessageNumber message;
  bool storage_lost = false;  // there was a cursor once, and it is gone
};

class Attachment {
 public:
  virtual ~Attachment() = default;

  // Source side. The next tap_next() of this link gives the batch after `after`. May be called again at any
  // time.
  virtual void tap_from(LinkIndex link, BatchNumber after) = 0;
  // The next committed batch of the link in order, in a slot of the gateway's pool; nothing when the log has
  // no more yet, or when the pool has no room (ask again later).
  virtual std::optional<StoredBatch> tap_next(LinkIndex link) = 0;
  // How far the log reaches, and from where on it can be read. Cheap; asked once per turn of the loop.
  virtual LogExtent extent(LinkIndex link) = 0;
  // A correct replica of the destination holds these durably: what is kept for this link only may go. Nothing
  // to do where the RSM has a retention of its own.
  virtual void quacked(const Quacked& /*order*/) {}

  // Destination side. Where the RSM stands; read once at start, before anything else.
  virtual AppliedCursor cursor(LinkIndex link) = 0;
  // Submits the batch. The bytes stay valid until poll() reports the batch applied.
  virtual void apply(const Apply& order) = 0;
  // Reads an applied batch back. Answered once by poll_loaded(), at once or later, and not in order.
  virtual void load(const LoadBatch& order) = 0;
  // The next cursor that became durable since the last call, if any.
  virtual std::optional<Applied> poll() = 0;
  // The next load that is answered, if any: found, in a slot of the gateway's pool, or not, which is also the
  // answer where there is no room.
  virtual std::optional<BatchLoaded> poll_loaded() = 0;
};

}  // namespace mallard::bridge
