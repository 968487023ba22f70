// The sending end of one link at one replica of the source cluster.
//
// Holds the batches that are committed here and not yet QUACKed, sends those whose turn is this replica's,
// turns acknowledgements into QUACKs, and decides when a batch is lost and whose turn it is to send it again.
// Every replica of the source does the same on its own; they never talk to each other about it.
//
// Rules, with their origin:
//   QUACK    durable cursors of weight u_r + 1 are at or beyond a batch (Picsou section 4.1): a correct
//   replica holds it.
//            Only then is its body given up.
//   lost     replicas of weight r_r + 1 lack it (section 4.2), in reports that echo a stamp issued at least
//   one RTO after
//            the batch was admitted or the previous attempt was opened, and replicas of less than u_r + 1
//            have received it (else a correct one has, and the others pull it).
//   resend   attempts follow the share walk; the pair's sender sends. After the last attempt the next round
//   waits
//            RTO * 2^round, at most round_backoff_max, plus up to a tenth of jitter; rounds never end.
//   start    nothing is sent before reports of weight u_r + 1 have told where the destination stands. What is
//   QUACKed is
//            never sent, and a first send is left out when replicas of weight r_r + 1 have the batch already:
//            so a restarted or slow replica does not repeat what was done without it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/bridge_counters.h"
#include "bridge/core/bridge_settings.h"
#include "bridge/core/effect.h"
#include "bridge/core/event.h"
#include "bridge/core/peer_report.h"
#include "bridge/core/peer_table.h"
#include "bridge/core/share_walk.h"
#include "config/base/time.h"

namespace mallard::bridge {

enum class OutboundState : std::uint8_t {
  learning,  // waits for reports of weight u_r + 1
  active,
  needs_snapshot,  // the log no longer has what the destination needs next
};

// What a replica of the destination reported, and no later report of its has overtaken. `ack` is borrowed.
struct HeardAck {
  ReplicaIndex from;
  const AckSection& ack;
  Stamp echo;  // that the report's frame echoed
};

class OutboundLink {
 public:
  OutboundLink(const BridgeSettings& bridge, const LinkSettings& link);

  [[nodiscard]] const LinkContext& context() const { return context_; }
  [[nodiscard]] ClusterIndex destination() const { return to_.cluster; }
  [[nodiscard]] bool accepts_commit() const;

  // One reference to the payload comes in; it goes back as a Release when the batch is QUACKed. Batches come
  // in order; one at or below the newest admitted was on its way when the tap was moved, and is released at
  // once.
  void admit(const BatchCommitted& event, PeerTable& peers, Instant now, Effects& effects);
  void log_extends(const LogExtent& extent, Effects& effects);
  void report(const HeardAck& heard, PeerTable& peers, Effects& effects, Instant now);
  void peer_down(ReplicaIndex replica);

  // Gives back what is QUACKED and still held, and asks idle replicas for a report when one is due.
  void on_deadline(PeerTable& peers, Instant now, Effects& effects);
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] PositionSection position() const;
  [[nodiscard]] OutboundState state() const { return state_; }
  // Whether every replica of the destination says that it has less than was QUACKed: its storage is gone,
  // beyond its u. What was QUACKed is never sent again by this core; one that is made anew learns where the
  // destination stands.
  [[nodiscard]] bool destination_reset() const;
  [[nodiscard]] BatchNumber quacked() const { return BatchNumber(quacked_); }
  [[nodiscard]] MessageNumber quacked_message() const { return quacked_message_; }
  [[nodiscard]] BatchNumber admitted() const { return BatchNumber(admitted_); }
  [[nodiscard]] std::uint64_t window_messages() const { return messages_; }
  [[nodiscard]] std::uint64_t window_bytes() const { return bytes_; }
  [[nodiscard]] const ShareWalk& walk() const { return walk_; }
  [[nodiscard]] const OutboundCounters& counters() const { return counters_; }
  // How long a batch or an attempt is given before a complaint about it counts: the largest round trip that
  // replicas of weight r_r + 1 back, so that no liar can stretch it, and never below rto_min.
  [[nodiscard]] Duration rto() const { return rto_; }

 private:
  struct Slot {
    BatchHeader header;
    PayloadRef payload;
    std::uint16_t proof_bytes = 0;
    std::uint8_t attempt = 0;
    std::uint32_t round = 0;
    Instant since;                 // when it was admitted, or when this attempt was opened
    std::uint64_t complaints = 0;  // bit per destination replica: lacks it, since this attempt was opened
  };

  [[nodiscard]] Slot& slot(std::uint64_t batch) { return slots_[batch & (slots_.size() - 1)]; }
  [[nodiscard]] const Slot& slot(std::uint64_t batch) const { return slots_[batch & (slots_.size() - 1)]; }
  [[nodiscard]] Duration patience(const Slot& slot) const;
  [[nodiscard]] std::uint64_t received_mask(std::uint64_t batch) const;
  [[nodiscard]] std::uint64_t backed_durable() const;
  void learn(Effects& effects);
  void update_rto(const PeerTable& peers);
  void advance_quack(Effects& effects);
  void restart_tap(std::uint64_t after, Effects& effects);
  void release_quacked(Effects& effects);
  void count_complaints(ReplicaIndex from, Stamp echo, PeerTable& peers, Effects& effects, Instant now);
  void open_attempt(std::uint64_t batch, PeerTable& peers, Effects& effects, Instant now);
  void send_if_mine(std::uint64_t batch, PeerTable& peers, Effects& effects, Instant now);

  LinkContext context_;
  ReplicaAddress self_;
  ClusterView to_;
  ShareWalk walk_;
  std::uint64_t seed_;
  Duration ack_interval_;
  Duration rto_min_;
  Duration round_backoff_max_;
  std::uint64_t window_messages_;
  std::uint64_t window_bytes_;

  OutboundState state_ = OutboundState::learning;
  std::vector<Slot> slots_;          // released_ < batch <= admitted_
  std::vector<PeerReport> reports_;  // by destination replica
  std::uint64_t released_ = 0;       // bodies up to here are given up; <= quacked_
  std::uint64_t quacked_ = 0;        // <= admitted_
  std::uint64_t admitted_ = 0;
  std::uint64_t newest_ = 0;  // of the local log
  std::uint64_t oldest_readable_ = 1;
  bool log_known_ = false;  // newest_ and oldest_readable_ have been told
  MessageNumber quacked_message_;
  MessageNumber newest_message_;
  std::uint64_t messages_ = 0;  // in the window
  std::uint64_t bytes_ = 0;
  Duration rto_;
  Instant last_probe_;
  Duration probe_interval_;
  OutboundCounters counters_;
};

}  // namespace mallard::bridge
