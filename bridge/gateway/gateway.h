// The sidecar at one replica: turns bytes into events for the core and the core's effects into bytes. It owns
// no socket, clock or thread, so that production and the simulator run the same object; time comes in with
// every call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/bridge_core.h"
#include "bridge/core/bridge_settings.h"
#include "bridge/gateway/attachment.h"
#include "bridge/gateway/certificate_checker.h"
#include "bridge/gateway/frame_carrier.h"
#include "bridge/wire/frame_codec.h"
#include "config/base/payload_pool.h"
#include "config/base/time.h"
#include "transport/driver/core_driver.h"

namespace mallard::bridge {

struct GatewayCounters {
  std::uint64_t frames_malformed = 0;  // did not decode; the peer's channel was closed
  std::uint64_t frames_unqueued = 0;   // the carrier had no room
  std::uint64_t wire_bytes_out = 0;    // heads and bodies handed to the carrier
  std::uint64_t head_bytes_out = 0;    // of these, heads of frames with a batch sent to another cluster
};

// Watches what the gateway does; for traces, metrics and tests. Called from inside the loop: must not call
// back.
class GatewayObserver {
 public:
  virtual ~GatewayObserver() = default;
  // From the log or the RSM beside it, before the core is told.
  virtual void on_event(const Event&, Instant) {}
  virtual void on_effect(const Effect& effect, Instant now) = 0;
};

class Gateway {
 public:
  // How many batches of one link are taken from the log, and how many answers from a port, in one turn:
  // nobody waits longer than that for a busy link.
  static constexpr std::size_t commits_per_turn_max = 64;
  static constexpr std::size_t answers_per_turn_max = 256;

  // The ports and the pool outlive the gateway. `observer` may be null.
  struct Ports {
    FrameCarrier& carrier;
    Attachment& attachment;
    CertificateChecker& certificates;
    PayloadPool& pool;
    GatewayObserver* observer = nullptr;
  };
  // `settings` carry the attachment's cursors.
  Gateway(const BridgeSettings& settings, const Ports& ports);
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // From the channels. `body` (bytes 0: none) comes with one reference, which the gateway takes over.
  void on_peer_up(ReplicaAddress peer, Instant now);
  void on_peer_down(ReplicaAddress peer, Instant now);
  void on_frame(ReplicaAddress from, ByteView head, PayloadRef body, Instant now);

  // One turn: takes what the attachment and the checker have ready, feeds commits while the core accepts
  // them, and runs the core's deadline if it has come. Returns whether there was anything to do; then more
  // may be ready at once.
  bool turn(Instant now);
  // When turn() must be called at the latest even if nothing comes in.
  [[nodiscard]] Instant next_deadline() const { return driver_.next_deadline(); }

  [[nodiscard]] const BridgeCore& core() const { return driver_.core(); }
  [[nodiscard]] const GatewayCounters& counters() const { return shell_.counters; }

 private:
  // One link that this gateway reads the local log for.
  struct Tap {
    LinkIndex link;
    LogExtent told;        // the last extent that the core was told
    bool started = false;  // the core has asked for batches
  };

  // What the driver sees. Kept apart so that nobody outside can carry out an effect.
  class Shell {
   public:
    Shell(const BridgeSettings& settings, const Ports& its_ports);
    void carry_out(const Effect& effect, Instant now);
    bool next_event(Event& event);

    Ports ports;
    GatewayCounters counters;
    std::vector<Tap> taps;
    const BridgeCore* core = nullptr;

   private:
    void carry_out(const SendFrame& frame);
    void carry_out(const StartTap& order);
    void carry_out(const CheckCertificate& order);
    void carry_out(const Apply& order);
    void carry_out(const LoadBatch& order);
    void carry_out(const Quacked& order);
    void carry_out(const Release& order);
    void carry_out(const ClosePeer& order);

    ClusterIndex own_cluster_;
    std::array<std::byte, wire::frame_head_bytes_max> head_{};
  };

  void tell_core(const Event& event, Instant now);
  bool take_answers(Instant now);
  bool tell_extent(Tap& tap, Instant now);
  bool feed_commits(const Tap& tap, Instant now);

  Shell shell_;
  transport::CoreDriver<BridgeCore, Shell> driver_;
  std::size_t first_tap_ = 0;  // who is served first in the next turn
};

}  // namespace mallard::bridge
