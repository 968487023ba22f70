#include "cli/gateway/gateway_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/gateway/fence_text.h"
#include "cli/gateway/gateway_plan.h"
#include "cli/page_seconds.h"
#include "config/weights.h"

namespace mallard::cli {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(Duration span) { return static_cast<double>(span.ns) / 1e6; }

const config::LinkSettings& settings_of(const GatewaySources& sources, LinkIndex link) {
  return sources.pairing.links[link.value];
}

const std::string& cluster_name(const GatewaySources& sources, ClusterIndex cluster) {
  return sources.pairing.clusters[cluster.value].name;
}

// Unix time in seconds of an instant of this process; 0 for one that never was.
double unix_time(Instant at, Instant now) {
  if (at == Instant{}) {
    return 0;
  }
  const auto since_epoch =
      std::chrono::system_clock::now().time_since_epoch() - std::chrono::nanoseconds((now - at).ns);
  return std::chrono::duration<double>(since_epoch).count();
}

// The status line of a peer's channel, if the set has one.
bool find_status(const transport::ChannelSet* set, ReplicaAddress peer, transport::PeerStatus& status) {
  for (std::size_t i = 0; set != nullptr && i < set->peers(); ++i) {
    status = set->status(i);
    if (status.address == peer) {
      return true;
    }
  }
  return false;
}

Json outbound_fields(const LinkView& view) {
  return {{"sent", {{"batch", view.between_batch}}},
          {"quacked", {{"batch", view.done_batch}, {"message", view.done_message}}},
          {"received", nullptr},
          {"applied", nullptr}};
}

Json inbound_fields(const LinkView& view) {
  return {{"sent", nullptr},
          {"quacked", nullptr},
          {"received", {{"batch", view.between_batch}}},
          {"applied", {{"batch", view.done_batch}, {"message", view.done_message}}}};
}

// What to do about a link that does not run, as far as a command can help.
std::string next_step(const GatewaySources& sources, const LinkView& view, std::size_t peers_up) {
  const config::LinkSettings& link = settings_of(sources, view.link);
  const std::string& other = cluster_name(sources, view.outbound ? link.to : link.from);
  if (view.state == "active") {
    return "";
  }
  if (view.state == "fenced") {
    return fenced_next_step(sources.pairing, view.link);
  }
  if (peers_up == 0) {
    return fmt::format("see each peer's last error below; on the machines of {}: mallard status", other);
  }
  if (view.state == "destination_reset") {
    return fmt::format("restart the gateways of {}: they then send from where {} stands",
                       cluster_name(sources, sources.self.cluster), other);
  }
  if (view.state == "needs_snapshot") {
    return fmt::format("copy a replica's log of {} to those that lack its beginning", other);
  }
  return fmt::format("on the machines of {}: mallard status", other);
}

Json link_json(const GatewaySources& sources, const LinkView& view, std::size_t peers_up) {
  const config::LinkSettings& settings = settings_of(sources, view.link);
  Json link;
  link["name"] = settings.name;
  link["role"] = view.outbound ? "source" : "destination";
  link["peer_cluster"] = cluster_name(sources, view.outbound ? settings.to : settings.from);
  link["state"] = view.state;
  link["since_s"] = view.state_seconds;
  link["waiting_for"] = view.waiting_for;
  link["committed"] = {{"batch", view.committed_batch}, {"message", view.committed_message}};
  link.update(view.outbound ? outbound_fields(view) : inbound_fields(view));
  const std::uint64_t behind =
      view.committed_message > view.done_message ? view.committed_message - view.done_message : 0;
  link["lag"] = {
      {"messages", behind}, {"bytes", behind == 0 ? 0 : view.window_bytes}, {"seconds", view.lag_seconds}};
  const bridge::BridgeCore& core = sources.gateway->core();
  if (const bridge::OutboundLink* out = core.outbound(view.link)) {
    const bridge::OutboundCounters& counters = out->counters();
    link["copies"] = counters.first_send_messages;
    link["resends"] = counters.resend_messages;
    link["messages"] = counters.messages_admitted;
  } else if (const bridge::InboundLink* in = core.inbound(view.link)) {
    const bridge::InboundCounters& counters = in->counters();
    link["copies"] = counters.copies_from_source;
    link["resends"] = counters.duplicates_dropped;
    link["messages"] = counters.messages_applied;
  }
  const transport::LatencyHistogram& latency = sources.latencies->of(view.link);
  link["latency"] = {{"of", view.outbound ? "commit_to_quack" : "receive_to_apply"},
                     {"batches", latency.count()},
                     {"p50_ms", milliseconds(latency.percentile(50))},
                     {"p99_ms", milliseconds(latency.percentile(99))}};
  link["last_error"] = "";
  link["next"] = next_step(sources, view, peers_up);
  return link;
}

Json peer_json(const GatewaySources& sources, const PeerView& view) {
  return {{"cluster", cluster_name(sources, view.address.cluster)},
          {"id", view.address.replica.value},
          {"up", view.up},
          {"since_s", view.since_seconds},
          {"rtt_ms", view.rtt_seconds < 0 ? Json(nullptr) : Json(view.rtt_seconds * 1e3)},
          {"last_error", view.last_error}};
}

// Never depends on the other cluster.
std::string not_ready_because(const bridge::built_in::BuiltInAttachment* replica) {
  if (replica == nullptr || (replica->is_ready() && replica->status().attached)) {
    return "";
  }
  const std::string& problem = replica->status().last_problem;
  return replica->status().attached
             ? "its replica has not opened every link yet"
             : fmt::format("its replica does not answer{}{}", problem.empty() ? "" : ": ", problem);
}

}  // namespace

transport::AdminSnapshot waiting_snapshot(const GatewaySources& sources) {
  const std::string why = not_ready_because(sources.replica);
  Json status;
  status["process"] = "gateway";
  status["cluster"] = cluster_name(sources, sources.self.cluster);
  status["id"] = sources.self.replica.value;
  status["version"] = MALLARD_VERSION;
  status["incarnation"] = fmt::to_string(sources.incarnation.value);
  status["uptime_s"] = 0;
  status["ready"] = false;
  status["not_ready_because"] = why;
  status["links"] = Json::array();
  status["peers"] = Json::array();
  std::vector<LinkView> links;
  for (std::uint16_t l = 0; l < sources.pairing.links.size(); ++l) {
    const config::LinkSettings& link = sources.pairing.links[l];
    if (link.from == sources.self.cluster || link.to == sources.self.cluster) {
      links.push_back({.link = LinkIndex(l),
                       .outbound = link.from == sources.self.cluster,
                       .state = "waiting_for_replica",
                       .waiting_for = "its replica"});
    }
  }
  std::vector<PeerView> peers;
  for (const transport::Plane plane : {transport::Plane::bridge, transport::Plane::local}) {
    const transport::ChannelSettings channels = plan_channels(sources.pairing, sources.self, plane);
    for (const auto& peer : channels.peers) {
      peers.push_back({.address = peer.address, .last_error = ""});
    }
  }
  return {.status_json = status.dump(),
          .metrics = gateway_metrics(sources, links, peers),
          .ready = false,
          .not_ready_because = why};
}

GatewayReport::GatewayReport(const GatewaySources& sources, Instant started)
    : sources_(sources), started_(started) {
  for (std::uint16_t l = 0; l < sources_.pairing.links.size(); ++l) {
    const bool outbound = sources_.gateway->core().outbound(LinkIndex(l)) != nullptr;
    if (outbound || sources_.gateway->core().inbound(LinkIndex(l)) != nullptr) {
      LinkWatch watch;
      watch.view.link = LinkIndex(l);
      watch.view.outbound = outbound;
      links_.push_back(std::move(watch));
    }
  }
  for (const bridge::Peer& peer : sources_.gateway->core().peers().all()) {
    PeerWatch watch;
    watch.view.address = peer.address;
    watch.since = started;
    peers_.push_back(watch);
  }
}

void GatewayReport::observe(Instant now) {
  for (LinkWatch& watch : links_) {
    look_at(watch, now);
  }
}

transport::AdminSnapshot GatewayReport::snapshot(Instant now) {
  observe(now);
  std::vector<LinkView> links;
  std::vector<PeerView> peers;
  for (const LinkWatch& watch : links_) {
    links.push_back(watch.view);
  }
  for (PeerWatch& watch : peers_) {
    look_at(watch, now);
    peers.push_back(watch.view);
  }
  return {.status_json = status_json(now),
          .metrics = gateway_metrics(sources_, links, peers),
          .ready = not_ready_because(sources_.replica).empty(),
          .not_ready_because = not_ready_because(sources_.replica)};
}

void GatewayReport::look_at(LinkWatch& watch, Instant now) const {
  LinkView& view = watch.view;
  const config::LinkSettings& settings = settings_of(sources_, view.link);
  const std::string before = std::exchange(view.state, "active");
  view.waiting_for.clear();
  const ClusterIndex other = view.outbound ? settings.to : settings.from;
  if (const bridge::OutboundLink* out = sources_.gateway->core().outbound(view.link)) {
    const bridge::PositionSection position = out->position();
    view.committed_batch = position.committed.value;
    view.committed_message = position.committed_message.value;
    view.done_batch = out->quacked().value;
    view.done_message = out->quacked_message().value;
    view.between_batch = out->admitted().value;
    view.window_bytes = out->window_bytes();
    if (out->state() == bridge::OutboundState::learning) {
      view.state = "learning";
      view.waiting_for = fmt::format("reports of weight {} from {}",
                                     config::quack_threshold(sources_.pairing.clusters[other.value].faults),
                                     cluster_name(sources_, other));
    } else if (out->state() == bridge::OutboundState::needs_snapshot) {
      view.state = "needs_snapshot";
      view.waiting_for = "what the log no longer has";
    } else if (out->destination_reset()) {
      view.state = "destination_reset";
      view.waiting_for =
          fmt::format("what {} had acknowledged and no longer has", cluster_name(sources_, other));
    }
  } else if (const bridge::InboundLink* in = sources_.gateway->core().inbound(view.link)) {
    view.done_batch = in->cursor().value;
    view.done_message = in->cursor_message().value;
    view.committed_batch = std::max(in->source_committed().value, view.done_batch);
    view.committed_message = std::max(in->source_committed_message().value, view.done_message);
    view.between_batch = in->prefix().value;
    view.window_bytes = in->window_bytes();
    if (sources_.replica != nullptr && sources_.replica->is_fenced(view.link)) {
      view.state = "fenced";
      view.waiting_for =
          fenced_waiting_for(sources_.pairing, view.link, sources_.replica->ordering_fence(view.link),
                             sources_.replica->status().fence);
    } else if (in->withholds_acks()) {
      view.state = "fetching";
      view.waiting_for = "what was delivered before its storage was lost, from its own cluster";
    } else if (in->source_heard_at() == Instant{}) {
      view.state = "waiting_for_source";
      view.waiting_for = fmt::format("word from {}", cluster_name(sources_, other));
    }
  }
  if (const std::uint64_t frames = frames_from(other); frames != watch.frames_heard) {
    watch.frames_heard = frames;
    watch.heard_at = now;
  }
  view.heard_timestamp = unix_time(watch.heard_at, now);
  if (peers_up(other) == 0 && view.state != "fenced") {
    view.waiting_for = fmt::format("a channel to any gateway of {}", cluster_name(sources_, other));
  }
  watch.lag_clock.observe(view.committed_message, now);
  const Duration lag = watch.lag_clock.lag(view.done_message, now);
  view.lag_seconds = page_seconds(lag);
  view.oldest_timestamp = view.committed_message > view.done_message ? unix_time(now - lag, now) : 0;
  if (view.state != before) {
    watch.state_since = now;
  }
  view.state_seconds = page_seconds(now - watch.state_since);
  view.state_timestamp = unix_time(watch.state_since, now);
}

void GatewayReport::look_at(PeerWatch& watch, Instant now) const {
  PeerView& view = watch.view;
  const bridge::Peer* peer = sources_.gateway->core().peers().find(view.address);
  if (peer->up != view.up) {
    watch.since = now;
  }
  view.up = peer->up;
  view.since_seconds = page_seconds(now - watch.since);
  view.rtt_seconds =
      peer->up && peer->round_trip.known() ? static_cast<double>(peer->round_trip.smoothed().ns) / 1e9 : -1;
  transport::PeerStatus status;
  if (find_status(sources_.bridge_channels, view.address, status) ||
      find_status(sources_.local_channels, view.address, status)) {
    view.last_error = std::string(status.last_error);
  }
}

std::size_t GatewayReport::peers_up(ClusterIndex cluster) const {
  const auto peers = sources_.gateway->core().peers().of(cluster);
  return static_cast<std::size_t>(
      std::ranges::count_if(peers, [](const bridge::Peer& peer) { return peer.up; }));
}

std::uint64_t GatewayReport::frames_from(ClusterIndex cluster) const {
  std::uint64_t frames = 0;
  for (const bridge::Peer& peer : sources_.gateway->core().peers().of(cluster)) {
    frames += peer.counters.frames_in;
  }
  return frames;
}

std::string GatewayReport::status_json(Instant now) const {
  Json status;
  status["process"] = "gateway";
  status["cluster"] = cluster_name(sources_, sources_.self.cluster);
  status["id"] = sources_.self.replica.value;
  status["version"] = MALLARD_VERSION;
  // As text: it has more digits than a browser's numbers.
  status["incarnation"] = fmt::to_string(sources_.incarnation.value);
  status["uptime_s"] = page_seconds(now - started_);
  status["ready"] = not_ready_because(sources_.replica).empty();
  status["not_ready_because"] = not_ready_because(sources_.replica);
  status["links"] = Json::array();
  for (const LinkWatch& watch : links_) {
    const config::LinkSettings& link = settings_of(sources_, watch.view.link);
    status["links"].push_back(
        link_json(sources_, watch.view, peers_up(watch.view.outbound ? link.to : link.from)));
  }
  status["peers"] = Json::array();
  for (const PeerWatch& watch : peers_) {
    status["peers"].push_back(peer_json(sources_, watch.view));
  }
  return status.dump();
}

}  // namespace mallard::cli
