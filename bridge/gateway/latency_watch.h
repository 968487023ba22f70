// How long batches take at one gateway, between two instants that it knows itself:
//
//   outbound link   from when it was taken from the log to its QUACK
//   inbound link    from when a first copy came in to when it was applied and durable here
//
// No clock of another machine comes in. While the window is full a batch waits in the log, and that is not in
// the first figure: lag tells it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/bridge_settings.h"
#include "bridge/gateway/gateway.h"
#include "config/base/time.h"
#include "transport/admin/latency_histogram.h"

namespace mallard::bridge {

class LatencyWatch final : public GatewayObserver {
 public:
  // Allocates an instant per message of each link's window; nothing after it.
  explicit LatencyWatch(const BridgeSettings& settings);

  void on_event(const Event& event, Instant now) override;
  void on_effect(const Effect& effect, Instant now) override;

  // One observation per batch. The link is one of the settings'.
  [[nodiscard]] const transport::LatencyHistogram& of(LinkIndex link) const;

 private:
  struct Watched {
    LinkIndex link;
    std::uint64_t done = 0;      // batches up to here have ended
    std::vector<Instant> begun;  // of the batch with this remainder; 0: not, or ended
    transport::LatencyHistogram taken;
  };

  [[nodiscard]] Watched* find(LinkIndex link);
  void begin(LinkIndex link, BatchNumber batch, Instant now);
  void end(LinkIndex link, BatchNumber through, Instant now);

  std::vector<Watched> links_;
};

}  // namespace mallard::bridge
