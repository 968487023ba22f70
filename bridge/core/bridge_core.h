// The C3B protocol of one gateway: every link that its cluster sends or receives, and every peer that it
// talks to.
//
// Cross-Cluster Consistent Broadcast as Picsou implements it (OSDI 2025), with what its paper leaves open
// decided: QUACKs count durable cursors only; complaints count only when they causally follow an attempt
// (stamps); resends follow a share walk that covers unequal clusters and stakes; rounds repeat without end; a
// replica that lacks what a peer of its own cluster holds pulls it. The order of a message's steps is told in
// bridge/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/ack_report.h"
#include "bridge/core/bridge_counters.h"
#include "bridge/core/bridge_settings.h"
#include "bridge/core/effect.h"
#include "bridge/core/event.h"
#include "bridge/core/inbound_link.h"
#include "bridge/core/outbound_link.h"
#include "bridge/core/peer_table.h"
#include "config/base/fixed_vector.h"
#include "config/base/time.h"

namespace mallard::bridge {

class BridgeCore {
 public:
  using Event = bridge::Event;
  using Effects = bridge::Effects;
  static constexpr std::size_t effects_per_step_max = bridge::effects_per_step_max;

  // All memory that the core will ever use is allocated here. `settings` must be valid (the loader's duty).
  explicit BridgeCore(const BridgeSettings& settings);

  void step(const Event& event, Instant now, Effects& effects) noexcept;
  void on_deadline(Instant now, Effects& effects) noexcept;
  [[nodiscard]] Instant next_deadline() const noexcept;

  // Back-pressure, the whole of it: may the shell hand in the next batch of this outbound link?
  [[nodiscard]] bool accepts_commit(LinkIndex link) const noexcept;

  // The sections that a SendFrame names, as they stand after the step that ordered it.
  [[nodiscard]] const AckReport& ack_of(LinkIndex link) const noexcept;
  [[nodiscard]] PositionSection position_of(LinkIndex link) const noexcept;

  // For status and metrics; nullptr where self's cluster is not that end of the link.
  [[nodiscard]] const OutboundLink* outbound(LinkIndex link) const noexcept;
  [[nodiscard]] const InboundLink* inbound(LinkIndex link) const noexcept;
  [[nodiscard]] const PeerTable& peers() const noexcept { return peers_; }

 private:
  void on(const PeerUp& event, Instant now, Effects& effects);
  void on(const PeerDown& event, Instant now, Effects& effects);
  void on(const BatchCommitted& event, Instant now, Effects& effects);
  void on(const LogExtent& event, Instant now, Effects& effects);
  void on(const FrameArrived& event, Instant now, Effects& effects);
  void on(const CertificateChecked& event, Instant now, Effects& effects);
  void on(const Applied& event, Instant now, Effects& effects);
  void on(const BatchLoaded& event, Instant now, Effects& effects);

  // The sections of a frame. A literal in `violation` or as the answer names what no correct peer does.
  static bool in_context(Peer& peer, const LinkContext& theirs, const LinkContext& ours);
  bool take_batch(Peer& peer, const BatchSection& section, Instant now, const char*& violation,
                  Effects& effects);
  const char* take_position(Peer& peer, const PositionSection& position, Instant now);
  const char* take_ack(Peer& peer, const AckSection& ack, Stamp echo, Instant now, Effects& effects);
  const char* take_pull(Peer& peer, const PullSection& pull, Instant now, Effects& effects);

  void send_report(Peer& peer, bool with_positions, Instant now, Effects& effects);
  void send_greeting(Peer& peer, Instant now, Effects& effects);
  void piggyback(SendFrame& frame, Instant now);
  void send_owed(Peer& peer, Instant now, Effects& effects);

  ReplicaAddress self_;
  Duration ack_interval_;
  Duration heartbeat_interval_;
  Instant now_;  // of the latest call; time never goes back
  PeerTable peers_;
  std::vector<OutboundLink> outbound_;
  std::vector<InboundLink> inbound_;
};

}  // namespace mallard::bridge
