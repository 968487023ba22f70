#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "cli/gateway/gateway_report.h"
#include "cli/metric_series.h"

namespace mallard::cli {
namespace {

using Series = MetricSeries;
using Labels = MetricSeries::Labels;
using transport::MetricSample;

Labels with(Labels labels, const char* name, const char* value) {
  labels.emplace_back(name, value);
  return labels;
}

void add_positions(const LinkView& view, const Labels& link, Series& series) {
  const std::uint64_t behind =
      view.committed_message > view.done_message ? view.committed_message - view.done_message : 0;
  series.gauge("mallard_source_sequence", "Newest message of the source's log, as far as known here.", link,
               view.committed_message);
  series.gauge("mallard_quorum_acked_sequence",
               "Newest message that a correct replica of the destination holds durably.", link,
               view.outbound ? view.done_message : 0);
  series.gauge("mallard_applied_sequence", "Newest message that is applied and durable at this replica.",
               link, view.outbound ? 0 : view.done_message);
  series.gauge("mallard_sent_batch", "Newest batch handed to the protocol by this source replica.", link,
               view.outbound ? view.between_batch : 0);
  series.gauge("mallard_received_batch", "Newest batch up to which everything was received at this replica.",
               link, view.outbound ? 0 : view.between_batch);
  series.gauge("mallard_lag_messages", "Messages that are committed at the source and not yet done.", link,
               behind);
  series.gauge("mallard_lag_bytes", "Payload in the window that is not yet done.", link,
               behind == 0 ? 0 : view.window_bytes);
  series.gauge("mallard_lag_seconds",
               "For how long the oldest message that is not done has waited; 0 when none is.", link,
               view.lag_seconds);
  series.gauge("mallard_backlog_oldest_sequence", "The oldest message that is not done; 0 when all are.",
               link, behind == 0 ? 0 : view.done_message + 1);
  series.gauge("mallard_backlog_oldest_timestamp_seconds",
               "When the oldest message that is not done was first seen here; 0 when all are done.", link,
               view.oldest_timestamp);
  series.gauge("mallard_heartbeat_received_timestamp_seconds",
               "When the other cluster was heard last; 0: never.", link, view.heard_timestamp);
  series.gauge("mallard_inflight_bytes", "Payload in the window.", link, view.window_bytes);
  series.gauge("mallard_link_state_since_timestamp_seconds",
               "When the link came into its state; 0: not known yet.", link, view.state_timestamp);
  for (const char* state : {"waiting_for_replica", "learning", "waiting_for_source", "fetching",
                            "needs_snapshot", "destination_reset", "fenced", "active"}) {
    series.gauge("mallard_link_state", "1 for the state that the link is in.", with(link, "state", state),
                 view.state == state ? 1 : 0);
  }
}

void add_limits(const config::LinkSettings& settings, const Labels& link, Series& series) {
  series.gauge("mallard_window_messages", "The most messages that may be on their way.", link,
               settings.window.messages);
  series.gauge("mallard_window_bytes", "The most payload that may be on its way.", link,
               settings.window.bytes);
}

void add_outbound(const bridge::OutboundCounters& counters, const Labels& link, Series& series) {
  series.counter("mallard_messages_total", "Messages taken from the log or applied.",
                 with(link, "direction", "out"), counters.messages_admitted);
  series.counter("mallard_copies_sent_total", "Message copies sent to the other cluster for the first time.",
                 link, counters.first_send_messages);
  series.counter("mallard_retransmits_total", "Message copies sent to the other cluster again, by why.",
                 with(link, "cause", "complaint"), counters.resend_messages);
  series.counter("mallard_payload_bytes_total", "Payload sent to the other cluster or received from it.",
                 with(link, "direction", "out"), counters.bytes_sent);
  series.counter("mallard_attempts_total", "Losses that complaints of enough weight have shown.", link,
                 counters.attempts_opened);
  series.counter("mallard_rounds_total", "Times that a batch's attempts started over.", link,
                 counters.rounds_opened);
  series.counter("mallard_probes_total", "Frames sent only to be answered.", link, counters.probes_sent);
  series.counter("mallard_acks_ahead_total", "Acknowledgements beyond what this replica has committed.", link,
                 counters.acks_ahead);
}

void add_inbound(const bridge::InboundCounters& counters, const Labels& link, Series& series) {
  series.counter("mallard_messages_total", "Messages taken from the log or applied.",
                 with(link, "direction", "in"), counters.messages_applied);
  series.counter("mallard_payload_bytes_total", "Payload sent to the other cluster or received from it.",
                 with(link, "direction", "in"), counters.bytes_received);
  series.counter("mallard_copies_received_total", "Batch copies that came from the other cluster.", link,
                 counters.copies_from_source);
  series.counter("mallard_duplicates_dropped_total", "Batch copies that were here already.", link,
                 counters.duplicates_dropped);
  for (const auto& [reason, value] : {std::pair{"beyond_window", counters.beyond_window_dropped},
                                      std::pair{"no_room", counters.no_room_dropped},
                                      std::pair{"discontinuous", counters.discontinuous_dropped}}) {
    series.counter("mallard_batches_dropped_total", "Batch copies that could not be taken.",
                   with(link, "reason", reason), value);
  }
  series.counter("mallard_verify_failures_total", "Batches whose certificate was not valid.", link,
                 counters.verify_failures);
  series.counter("mallard_shares_sent_total", "Batch copies sent inside the cluster unasked.", link,
                 counters.shares_sent);
  series.counter("mallard_pulls_sent_total", "Batches asked for inside the cluster.", link,
                 counters.pulls_sent);
  series.counter("mallard_pulls_served_total", "Batches sent to a peer that asked.", link,
                 counters.pulls_served);
  series.counter("mallard_pulls_refused_total", "Batches that a peer asked for and was not given.", link,
                 counters.pulls_refused);
}

void add_peer(const bridge::PeerCounters& counters, const PeerView& view, const Labels& labels,
              Series& series) {
  series.gauge("mallard_peer_up", "1 while a channel to the peer is open.", labels, view.up ? 1 : 0);
  series.gauge("mallard_rtt_seconds", "Smoothed round trip; 0 when not known.", labels,
               std::max(view.rtt_seconds, 0.0));
  series.counter("mallard_frames_in_total", "Frames that the peer sent.", labels, counters.frames_in);
  series.counter("mallard_frames_out_total", "Frames sent to the peer.", labels, counters.frames_out);
  series.counter("mallard_stale_contexts_total", "Sections of another epoch or generation.", labels,
                 counters.stale_context_dropped);
  series.counter("mallard_violations_total", "Frames for which the peer's channel was closed.", labels,
                 counters.violations);
}

void add_channels(const transport::ChannelSet* set, const char* plane, Series& series) {
  std::uint64_t out = 0;
  std::uint64_t in = 0;
  std::uint64_t refused = 0;
  for (std::size_t i = 0; set != nullptr && i < set->peers(); ++i) {
    out += set->counters(i).wire_bytes_out;
    in += set->counters(i).wire_bytes_in;
    refused += set->counters(i).frames_refused;
  }
  const Labels labels{{"plane", plane}};
  series.counter("mallard_wire_bytes_total", "Bytes of TLS records.", with(labels, "direction", "out"), out);
  series.counter("mallard_wire_bytes_total", "Bytes of TLS records.", with(labels, "direction", "in"), in);
  series.counter("mallard_frames_unqueued_total", "Frames that found their channel closed or its queue full.",
                 labels, refused);
  const transport::AcceptCounters accepts =
      set != nullptr ? set->accept_counters() : transport::AcceptCounters{};
  for (const auto& [reason, value] :
       {std::pair{"rate", accepts.refused_by_rate}, std::pair{"pending", accepts.refused_by_pending},
        std::pair{"deadline", accepts.handshake_deadlines}, std::pair{"handshake", accepts.handshakes_failed},
        std::pair{"unknown_key", accepts.unknown_keys}, std::pair{"hello", accepts.hellos_refused}}) {
    series.counter("mallard_connections_refused_total", "Connections that did not become a channel.",
                   with(labels, "reason", reason), value);
  }
}

// By weight, as seen from here: a gateway always hears itself.
void add_quorum_margins(const GatewaySources& sources, const std::vector<PeerView>& peers, Series& series) {
  for (std::uint16_t c = 0; c < sources.pairing.clusters.size(); ++c) {
    const config::ClusterSettings& cluster = sources.pairing.clusters[c];
    bool is_concerned = ClusterIndex(c) == sources.self.cluster;
    // Live minus needed is u minus what is missing, and that does not overflow.
    double margin = static_cast<double>(cluster.faults.u);
    for (const PeerView& peer : peers) {
      if (peer.address.cluster == ClusterIndex(c)) {
        is_concerned = true;
        margin -= peer.up ? 0 : static_cast<double>(cluster.replicas[peer.address.replica.value].stake);
      }
    }
    if (is_concerned) {
      series.gauge("mallard_quorum_margin",
                   "Weight of live replicas beyond what the cluster needs; negative: too few.",
                   {{"cluster", cluster.name}}, margin);
    }
  }
}

// Of a source. A destination knows bytes only: what it holds may lack messages in between.
void add_inflight(const bridge::OutboundLink* out, const Labels& link, Series& series) {
  series.gauge("mallard_inflight_messages", "Messages in the window.", link,
               out != nullptr ? out->window_messages() : 0);
}

// Of a destination. 0 where others run the cluster, and until the replica has told.
void add_fence(const GatewaySources& sources, LinkIndex link, const Labels& labels, Series& series) {
  series.gauge("mallard_link_fence", "The fence under which this gateway orders what the link brings.",
               labels, sources.replica != nullptr ? sources.replica->ordering_fence(link).value : 0);
}

// One link's counters and latencies.
void add_link(const GatewaySources& sources, const LinkView& view, Series& series) {
  const config::LinkSettings& settings = sources.pairing.links[view.link.value];
  const Labels link{{"link", settings.name}, {"side", view.outbound ? "source" : "destination"}};
  add_positions(view, link, series);
  add_limits(settings, link, series);
  series.histogram(
      "mallard_latency_seconds",
      "How long a batch took: commit_to_quack from the log of a source, receive_to_apply from the first "
      "copy at a destination to its storage.",
      with(link, "stage", view.outbound ? "commit_to_quack" : "receive_to_apply"),
      sources.latencies != nullptr ? sources.latencies->of(view.link) : transport::LatencyHistogram());
  const bridge::BridgeCore* core = sources.gateway != nullptr ? &sources.gateway->core() : nullptr;
  if (view.outbound) {
    add_inflight(core != nullptr ? core->outbound(view.link) : nullptr, link, series);
    add_outbound(core != nullptr ? core->outbound(view.link)->counters() : bridge::OutboundCounters{}, link,
                 series);
  } else {
    add_fence(sources, view.link, link, series);
    add_inbound(core != nullptr ? core->inbound(view.link)->counters() : bridge::InboundCounters{}, link,
                series);
  }
}

}  // namespace

std::vector<MetricSample> gateway_metrics(const GatewaySources& sources, const std::vector<LinkView>& links,
                                          const std::vector<PeerView>& peers) {
  std::vector<MetricSample> out;
  Series series(out);
  series.build(MALLARD_VERSION, "gateway", sources.pairing.clusters[sources.self.cluster.value].name,
               sources.self.replica.value);
  series.gauge("mallard_fence", "How often the own cluster was promoted, as its replica told last.", {},
               sources.replica != nullptr ? sources.replica->status().fence.value : 0);
  series.gauge("mallard_memory_limit_bytes", "The formula that was printed at start.", {},
               sources.memory_limit);
  series.gauge("mallard_pool_bytes", "Room for payloads.", {}, sources.pool.capacity());
  series.gauge("mallard_pool_used_bytes", "Of these, in use.", {},
               sources.pool.capacity() - sources.pool.free_bytes());
  const bridge::GatewayCounters counters =
      sources.gateway != nullptr ? sources.gateway->counters() : bridge::GatewayCounters{};
  series.counter("mallard_frames_malformed_total", "Frames that did not decode.", {},
                 counters.frames_malformed);
  series.counter("mallard_frame_bytes_total", "Heads and bodies handed to channels.", {},
                 counters.wire_bytes_out);
  series.counter("mallard_batch_head_bytes_total", "Heads of frames with a batch for another cluster.", {},
                 counters.head_bytes_out);
  for (const LinkView& view : links) {
    add_link(sources, view, series);
  }
  for (const PeerView& view : peers) {
    const bridge::Peer* peer =
        sources.gateway != nullptr ? sources.gateway->core().peers().find(view.address) : nullptr;
    const Labels labels{
        {"peer", fmt::format("{}-{}", sources.pairing.clusters[view.address.cluster.value].name,
                             view.address.replica.value)}};
    add_peer(peer != nullptr ? peer->counters : bridge::PeerCounters{}, view, labels, series);
  }
  add_quorum_margins(sources, peers, series);
  add_channels(sources.bridge_channels, "bridge", series);
  add_channels(sources.local_channels, "local", series);
  return out;
}

}  // namespace mallard::cli
