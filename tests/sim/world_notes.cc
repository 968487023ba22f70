// What a world notes down about itself: marks from the gateways' own counters, and the outcome.
#include <algorithm>

#include "bridge/core/rotation.h"
#include "tests/sim/world.h"

namespace mallard::sim {
namespace {

void note_outbound(Marks& marks, const bridge::OutboundLink& link) {
  const bridge::OutboundCounters& counters = link.counters();
  marks.hit(Mark::resend, counters.resends);
  marks.hit(Mark::second_round, counters.rounds_opened);
  marks.hit(Mark::ack_ahead_clamped, counters.acks_ahead);
  marks.hit(Mark::probe_sent, counters.probes_sent);
  marks.hit(Mark::needs_snapshot_reached, link.state() == bridge::OutboundState::needs_snapshot ? 1 : 0);
}

void note_inbound(Marks& marks, const bridge::InboundLink& link) {
  const bridge::InboundCounters& counters = link.counters();
  marks.hit(Mark::pull_by_hint, counters.pulls_by_hint);
  marks.hit(Mark::beyond_window_dropped, counters.beyond_window_dropped);
  marks.hit(Mark::duplicate_dropped, counters.duplicates_dropped);
}

void note_stakes(Marks& marks, const bridge::ClusterView& view) {
  const Weight heaviest = *std::max_element(view.weights.begin(), view.weights.end());
  marks.hit(Mark::world_weighted_cluster, view.total() != view.size() ? 1 : 0);
  marks.hit(Mark::world_whale_cluster, view.size() > 1 && heaviest > view.total() / 2 ? 1 : 0);
  const bridge::Rotation rotation(view);
  for (std::uint16_t i = 0; i < view.size(); ++i) {
    marks.hit(Mark::world_replica_without_turns, rotation.slots_of(ReplicaIndex(i)) == 0 ? 1 : 0);
  }
}

}  // namespace

// Called when a life ends, so that every life's counters are noted once.
void World::note_life(const Replica& replica) {
  const bridge::BridgeCore& core = replica.life->gateway->core();
  if (replica.byzantine) {
    return;
  }
  std::uint64_t served = 0;
  for (const LinkTruth& truth : stage_.links) {
    if (const bridge::OutboundLink* link = core.outbound(truth.shape().link)) {
      note_outbound(stage_.marks, *link);
      resends_ += link->counters().resends;
    }
    if (const bridge::InboundLink* link = core.inbound(truth.shape().link)) {
      note_inbound(stage_.marks, *link);
      served += link->counters().pulls_served;
    }
  }
  stage_.marks.hit(Mark::pull_served_from_memory, served > replica.life->attachment.loads() ? 1 : 0);
  for (std::uint16_t c = 0; c < stage_.options.clusters.size(); ++c) {
    for (const bridge::Peer& peer : core.peers().of(ClusterIndex(c))) {
      stage_.marks.hit(Mark::stale_context_dropped, peer.counters.stale_context_dropped);
    }
  }
}

void World::note_world() {
  const SwarmOptions& options = stage_.options;
  Marks& marks = stage_.marks;
  marks.hit(Mark::world_healthy, options.healthy ? 1 : 0);
  marks.hit(Mark::world_beyond_budget, options.beyond_budget ? 1 : 0);
  for (const ClusterOptions& cluster : options.clusters) {
    const bridge::ClusterView& view = cluster.view;
    marks.hit(view.r == 0 ? Mark::world_crash_cluster
                          : (view.u == view.r ? Mark::world_byzantine_cluster : Mark::world_upright_cluster));
    note_stakes(marks, view);
    marks.hit(Mark::world_liars_outnumber, 2 * cluster.byzantine.size() > view.size() ? 1 : 0);
  }
  marks.hit(Mark::world_three_links, options.links.size() == 3 ? 1 : 0);
  for (const LinkShape& link : options.links) {
    marks.hit(Mark::world_unequal_clusters,
              options.clusters[link.from].view.size() != options.clusters[link.to].view.size() ? 1 : 0);
    marks.hit(Mark::world_both_directions, options.links.size() >= 2 && link.from == options.links[0].to &&
                                                   link.to == options.links[0].from
                                               ? 1
                                               : 0);
    const auto near = [&](std::uint64_t edge) {
      return link.base_batch < edge && link.base_batch + 200 >= edge;
    };
    marks.hit(Mark::start_near_2_31, near(1ULL << 31) ? 1 : 0);
    marks.hit(Mark::start_near_2_32, near(1ULL << 32) ? 1 : 0);
    marks.hit(Mark::start_near_2_63, near(1ULL << 63) ? 1 : 0);
  }
}

void World::note_end(Outcome& outcome) {
  for (const Replica& replica : replicas_) {
    if (replica.alive()) {
      note_life(replica);
      const bool caught_up = replica.storage_lost && !stage_.failed() && !stage_.options.beyond_budget;
      stage_.marks.hit(Mark::storage_lost_caught_up, caught_up ? 1 : 0);
    }
  }
  outcome.failure = stage_.failure;
  outcome.events = events_;
  outcome.digest = stage_.digest;
  outcome.ended_at = stage_.now;
  for (const LinkTruth& link : stage_.links) {
    outcome.batches += link.decided();
  }
  outcome.batch_frames_sent = network_.batch_frames_sent();
  outcome.batch_frames_lost = network_.batch_frames_lost();
  outcome.resends = resends_;
}

}  // namespace mallard::sim
