// The port between a gateway and its channels.
#pragma once

#include "bridge/core/frame.h"
#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "config/base/payload_ref.h"

namespace mallard::bridge {

// Neither call may come back into the gateway: what it brings about is reported by the loop afterwards.
class FrameCarrier {
 public:
  virtual ~FrameCarrier() = default;

  // Queues one frame. `head` is copied; the carrier adds a reference of its own to `body` (bytes 0: none)
  // until the bytes are out. False when the channel is closed or its queue is full: the frame is lost,
  // nothing else happens.
  virtual bool send(ReplicaAddress to, ByteView head, PayloadRef body, Lane lane) = 0;
  // Closes the channel; it may be opened anew later. The gateway's on_peer_down() follows.
  virtual void close(ReplicaAddress peer, const char* reason) = 0;
};

}  // namespace mallard::bridge
