// The sidecar at one replica: turns bytes into events for the core and the core's effects into bytes. It owns no socket,
// clock or thread, so that production and the simulator run the same object; time comes in with every call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/bridge_core.h"
#include "bridge/core/bridge_settings.h"
#include "bridge/gateway/attachment.h"
#include "bridge/gateway/certificate_checker.h"
#include "bridge/gateway/frame_carrier.h"
#include "config/base/payload_pool.h"
#include "config/base/time.h"
#include "transport/driver/core_driver.h"

namespace mallard::bridge {

struct GatewayCounters {
  std::uint64_t frames_malformed = 0;    // did not decode
  std::uint64_t frames_unqueued = 0;     // the carrier had no room
  std::uint64_t wire_bytes_out = 0;      // heads and bodies handed to the carrier
  std::uint64_t head_bytes_out = 0;      // of these, heads of frames with a batch sent to another cluster
};

// Watches what the gateway does; for traces, metrics and tests. Called from inside the loop: must not call back.
class GatewayObserver {
 public:
  virtual ~GatewayObserver() = default;
  virtual void on_effect(const Effect& effect, Instant now) = 0;
};

class Gateway {
 public:
  // The ports and the pool outlive the gateway. `observer` may be null.
  struct Ports {
    FrameCarrier& carrier;
    Attachment& attachment;
    CertificateChecker& certificates;
    PayloadPool& pool;
    GatewayObserver* observer = nullptr;
  };
  Gateway(const BridgeSettings& settings, const Ports& ports);

  // From the channels. `body` (bytes 0: none) comes with one reference, which the gateway takes over.
  void on_peer_up(ReplicaAddress peer, Instant now);
  void on_peer_down(ReplicaAddress peer, Instant now);
  void on_frame(ReplicaAddress from, ByteView head, PayloadRef body, Instant now);

  // One turn: takes what the attachment and the checker have ready, feeds commits while the core accepts them, and runs
  // the core's deadline if it has come. Returns whether there was anything to do.
  bool turn(Instant now);
  // When turn() must be called at the latest even if nothing comes in.
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] const BridgeCore& core() const;
  [[nodiscard]] const GatewayCounters& counters() const;
};

}  // namespace mallard::bridge
