// The receiving end of one link at one replica of the destination cluster.
//
// Takes batches from the source cluster and from its own, has each one's certificate checked, shares what
// came from outside with its own cluster, hands batches to the RSM in order and without gaps, and says in
// acknowledgements what it has. Every replica of the destination does the same on its own.
//
// Rules, with their origin:
//   order     Apply continues the cursor, always; the RSM's cursor is what makes delivery happen once
//   (design 4.1). share     the first valid copy from outside goes to every peer that has not said it has it
//   (Picsou section 4.1). pull      an acknowledgement inside the cluster is also an advertisement: who lacks
//   what a peer advertises asks for
//             it. Broadcasting once is not enough: a faulty receiver that shares with only a few would stall
//             the others.
//   hint      what source replicas of weight r_s + 1 say is QUACKed is held by a correct peer even if none
//   advertises it:
//             it is asked for in turn (Picsou section 4.3, FETCH). Nothing is ever skipped on a hint.
//   durable   what the acknowledgement calls durable is the RSM's durable cursor, nothing else.
//   retain    applied batches stay in memory for pulls until every reachable peer has them, or a window has
//   passed; older
//             ones are read back from storage.
//   lost      a replica whose storage is gone acknowledges nothing before it has caught up with what peers of
//   weight
//             u_r + 1 told it and one of weight r_r + 1 backs. Where its peers weigh less than u_r + 1
//             together, all of them must have told it: a replica alone waits for nobody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridge/core/ack_report.h"
#include "bridge/core/bridge_counters.h"
#include "bridge/core/bridge_settings.h"
#include "bridge/core/check_table.h"
#include "bridge/core/effect.h"
#include "bridge/core/event.h"
#include "bridge/core/peer_report.h"
#include "bridge/core/peer_table.h"
#include "bridge/core/pull_budget.h"
#include "config/base/bitmap_window.h"
#include "config/base/time.h"

namespace mallard::bridge {

class InboundLink {
 public:
  InboundLink(const BridgeSettings& bridge, const LinkSettings& link);

  [[nodiscard]] const LinkContext& context() const { return context_; }
  [[nodiscard]] ClusterIndex source() const { return from_.cluster; }

  // A copy of a batch, from either cluster. One reference to its payload comes in.
  void arrive(ReplicaAddress from, const BatchSection& section, const PeerTable& peers, Effects& effects);
  void certificate_checked(const CertificateChecked& answer, PeerTable& peers, Instant now, Effects& effects);
  void applied(const Applied& event, PeerTable& peers, Instant now, Effects& effects);
  // A report of a peer of the own cluster that no later one has overtaken.
  void advertised(ReplicaIndex from, const AckSection& ack, PeerTable& peers, Instant now);
  void peer_down(ReplicaIndex replica);
  // What a source replica says of the link: how far it knows the batches to be QUACKed, and how far its log
  // reaches.
  void hinted(ReplicaIndex from, BatchNumber quacked, Instant now);
  void positioned(ReplicaIndex from, const PositionSection& position, Instant now);
  void pull_requested(Peer& peer, const PullSection& pull, Instant now, Effects& effects);
  // One reference to the payload comes in when the batch was found.
  void batch_loaded(const BatchLoaded& event, PeerTable& peers, Instant now, Effects& effects);

  void on_deadline(PeerTable& peers, Instant now, Effects& effects);
  [[nodiscard]] Instant next_deadline() const;

  // The body of an acknowledgement as it stood at the last refresh.
  void refresh_report();
  [[nodiscard]] const AckReport& report() const { return report_; }
  [[nodiscard]] bool withholds_acks() const { return withholds_acks_; }
  [[nodiscard]] BatchNumber cursor() const { return BatchNumber(cursor_); }
  [[nodiscard]] MessageNumber cursor_message() const { return cursor_message_; }
  [[nodiscard]] BatchNumber prefix() const { return BatchNumber(prefix_); }
  // How far the source's log reaches, as replicas of weight r_s + 1 say.
  [[nodiscard]] BatchNumber source_committed() const;
  [[nodiscard]] MessageNumber source_committed_message() const;
  // When a source replica was last heard about this link; Instant{} if never.
  [[nodiscard]] Instant source_heard_at() const { return source_heard_at_; }
  [[nodiscard]] std::uint64_t window_bytes() const { return held_bytes_; }
  [[nodiscard]] const InboundCounters& counters() const { return counters_; }

 private:
  struct Slot {
    StoredBatch batch;
    std::uint16_t asked = 0;  // the replica asked last; turns rotate from there
    Instant next_pull;  // while it is missing here and known elsewhere: not before; Instant{} until then
  };

  [[nodiscard]] Slot& slot(std::uint64_t batch) { return slots_[batch & (slots_.size() - 1)]; }
  [[nodiscard]] bool holds(std::uint64_t batch) const { return held_.contains(batch) && held_.test(batch); }
  [[nodiscard]] std::uint64_t window_end() const;
  // Whether this replica has room in its window for a batch that it lacks; counts why not.
  [[nodiscard]] bool wants(std::uint64_t batch);
  // Whether a peer lacks the batch and may have room in its window for it: it may have applied a whole window
  // since its last report, and where the hint is ahead of the report, peers of QUACK weight are at least that
  // far.
  [[nodiscard]] bool useful_to_peers(std::uint64_t batch, const PeerTable& peers) const;
  bool make_room(std::uint64_t batch, std::uint32_t bytes, Effects& effects);
  void drop(std::uint64_t batch, Effects& effects);
  void hold(const StoredBatch& batch);
  void share(const StoredBatch& batch, PeerTable& peers, Instant now, Effects& effects);
  void serve(Peer& peer, const StoredBatch& batch, Instant now, Effects& effects) const;
  void submit(Effects& effects);
  void release_retained(const PeerTable& peers, Effects& effects);
  void pass_over(std::uint64_t last);
  void plan_pulls(PeerTable& peers, Instant now, Effects& effects);
  [[nodiscard]] Peer* next_holder(std::uint16_t asked_last, std::uint64_t batch, PeerTable& peers) const;
  [[nodiscard]] std::uint64_t known_elsewhere() const;
  void want_pulls(Instant at);
  void consider_acking();

  LinkContext context_;
  Fence fence_;
  ReplicaAddress self_;
  ClusterView from_;
  ClusterView to_;
  std::uint64_t window_;  // batches that may be held beyond the cursor
  std::uint64_t window_bytes_;
  Duration pull_delay_;

  std::uint64_t cursor_;        // applied and durable
  std::uint64_t submitted_;     // handed to the RSM; cursor_ <= submitted_ <= prefix_
  std::uint64_t prefix_;        // everything up to here was received
  std::uint64_t next_message_;  // k' that the batch after submitted_ must start with
  MessageNumber cursor_message_;
  BitmapWindow held_;                 // whose slots hold a body; its base: bodies up to there are given up
  std::vector<Slot> slots_;           // held_.base() < batch <= held_.base() + capacity
  std::uint64_t held_count_ = 0;      // bits of held_
  std::uint64_t highest_held_ = 0;    // no bit above it is set; the batch itself may have been dropped since
  std::uint64_t held_bytes_ = 0;      // beyond the cursor
  std::uint64_t retained_bytes_ = 0;  // up to the cursor
  CheckTable checks_;
  std::vector<PeerReport> reports_;       // by replica of the own cluster
  std::vector<PullBudget> budgets_;       // likewise
  std::vector<std::uint64_t> hints_;      // by source replica
  std::uint64_t hint_ = 0;                // what weight r_s + 1 of them back
  std::vector<std::uint64_t> committed_;  // by source replica
  std::vector<std::uint64_t> committed_message_;
  Instant source_heard_at_;
  Instant pull_at_ = Instant::never();
  bool unfinished_ = false;  // a step ran out of room for effects
  bool withholds_acks_;
  AckReport report_;
  InboundCounters counters_;
};

}  // namespace mallard::bridge
