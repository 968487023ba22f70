#include "cli/replica/replica_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/metric_series.h"
#include "cli/page_seconds.h"
#include "cli/replica/start_page.h"
#include "config/value_text.h"

namespace mallard::cli {
namespace {

using Json = nlohmann::ordered_json;
using rsm::ReplicaState;

bool is_outbound(const ReplicaSources& sources, std::size_t link) {
  return sources.pairing.links[link].from == sources.self.cluster;
}

// Nothing where the link is not one of the replica's cluster, or is not open yet.
std::optional<LinkStanding> standing_of(const ReplicaSources& sources, std::size_t link) {
  return sources.machine.link(LinkIndex(static_cast<std::uint16_t>(link)),
                              is_outbound(sources, link) ? LinkDirection::outbound : LinkDirection::inbound);
}

Json link_json(const ReplicaSources& sources, std::size_t link, const LinkStanding& standing) {
  std::string hash;
  for (const std::uint8_t byte : standing.rolling_hash.bytes) {
    hash += fmt::format("{:02x}", byte);
  }
  return {{"name", sources.pairing.links[link].name},
          {"role", is_outbound(sources, link) ? "source" : "destination"},
          {"generation", standing.generation.value},
          {"batch", standing.batch.value},
          {"message", standing.message.value},
          {"rolling_hash", hash},
          {"conflicts", standing.conflicts}};
}

// Every link into the cluster has one, also before it is open.
void add_conflicts(const ReplicaSources& sources, MetricSeries& series) {
  for (std::size_t link = 0; link < sources.pairing.links.size(); ++link) {
    if (sources.pairing.links[link].to == sources.self.cluster) {
      const auto standing = standing_of(sources, link);
      series.counter("mallard_replica_link_conflicts_total",
                     "Records from another cluster that could not be executed here and were passed over.",
                     {{"link", sources.pairing.links[link].name}}, standing ? standing->conflicts : 0);
    }
  }
}

void add_client_door(MetricSeries& series, const transport::door::DoorServer& server) {
  using transport::door::DoorEnd;
  const transport::door::DoorServerCounters& door = server.counters();
  const transport::door::ClientListenerCounters& listener = door.listener;
  series.gauge("mallard_client_connections", "Clients that are connected over the network.", {},
               server.client_connections());
  series.gauge("mallard_client_handshakes", "Connections that have proved nothing yet.", {},
               server.client_handshakes());
  series.counter("mallard_client_accepted_total", "Connections that came over the network.", {},
                 listener.accepted);
  series.counter("mallard_client_handshakes_done_total", "Connections that proved a client's key.", {},
                 listener.handshakes_done);
  const auto refused = [&series](const char* reason, std::uint64_t value) {
    series.counter("mallard_client_refused_total", "Connections over the network that were refused, by why.",
                   {{"reason", reason}}, value);
  };
  refused("rate", listener.refused_by_rate);
  refused("evicted", listener.evicted);
  refused("handshake_deadline", listener.handshake_deadlines);
  refused("handshake_failed", listener.handshakes_failed);
  refused("unknown_key", listener.unknown_keys);
  refused("places", door.clients_refused_by_places);
  refused("share", door.clients_refused_by_share);
  for (std::size_t i = 0; i < door.clients_ended.size(); ++i) {
    series.counter("mallard_client_ended_total",
                   "Connections of clients over the network, by why they ended.",
                   {{"reason", std::string(door_end_name(static_cast<DoorEnd>(i)))}}, door.clients_ended[i]);
  }
}

}  // namespace

ReplicaReport::ReplicaReport(const ReplicaSources& sources, Instant started)
    : sources_(sources), started_(started), state_(sources.replica.state()), state_since_(started) {}

void ReplicaReport::observe(Instant now) {
  const ReplicaState state = sources_.replica.state();
  if (state != state_) {
    state_ = state;
    state_since_ = now;
  }
}

transport::AdminSnapshot ReplicaReport::snapshot(Instant now) {
  observe(now);
  const std::string why = not_ready_because(now);
  return {
      .status_json = status_json(now), .metrics = metrics(), .ready = why.empty(), .not_ready_because = why};
}

std::string ReplicaReport::not_ready_because(Instant now) const {
  const std::string why = hindrance();
  const std::string waits_for = waiting_for();
  return why.empty() || waits_for.empty()
             ? why
             : fmt::format("{}; waits for {}, for {} s", why, waits_for, whole_seconds(now - state_since_));
}

std::string ReplicaReport::beyond_help() const {
  const bool is_stuck = state_ == ReplicaState::recovering || state_ == ReplicaState::electing;
  const rsm::cft::Members members = sources_.replica.engine().members();
  const std::size_t lost = sources_.replica.lost_logs();
  if (!is_stuck || lost + members.majority() <= members.count()) {
    return "";
  }
  return fmt::format(
      "{} of the {} replicas lost their logs, and no majority is left that has one; put data directories "
      "back that do, or found the cluster anew in empty ones",
      lost, members.count());
}

std::string ReplicaReport::hindrance() const {
  if (std::string why = beyond_help(); !why.empty()) {
    return why;
  }
  switch (state_) {
    case ReplicaState::leading:
    case ReplicaState::following:
      return "";
    case ReplicaState::recovering:
      return "it lost its log, or a part of it, and reads the others first";
    case ReplicaState::needs_snapshot:
      return "it lacks log that no other replica has in memory any more";
    case ReplicaState::electing:
      return "it knows of no leader";
    case ReplicaState::failed:
      return "its journal or memory failed";
  }
  return "";
}

std::string ReplicaReport::waiting_for() const {
  if (!beyond_help().empty()) {
    return "an operator";
  }
  const rsm::Engine& engine = sources_.replica.engine();
  switch (state_) {
    case ReplicaState::leading:
    case ReplicaState::failed:
      return "";
    case ReplicaState::following:
      return engine.core().caught_up() ? "" : "what its log lacks, from the leader";
    case ReplicaState::recovering:
      return "the logs of the other replicas";
    case ReplicaState::needs_snapshot:
      return "a snapshot of another replica";
    case ReplicaState::electing:
      return fmt::format("{} of the {} replicas to agree on a leader", engine.members().majority(),
                         engine.members().count());
  }
  return "";
}

std::string ReplicaReport::status_json(Instant now) const {
  const config::ClusterSettings& cluster = sources_.pairing.clusters[sources_.self.cluster.value];
  const auto leader = sources_.replica.leader();
  const rsm::CommandDeskCounters& commands = sources_.replica.commands().counters();
  Json status;
  status["process"] = "replica";
  status["cluster"] = cluster.name;
  status["id"] = sources_.self.replica.value;
  status["version"] = MALLARD_VERSION;
  // As text: it has more digits than a browser's numbers.
  status["incarnation"] = fmt::to_string(sources_.incarnation.value);
  status["uptime_s"] = page_seconds(now - started_);
  const std::string why = not_ready_because(now);
  status["ready"] = why.empty();
  status["not_ready_because"] = why;
  status["state"] = rsm::replica_state_name(state_);
  status["since_s"] = page_seconds(now - state_since_);
  status["leader"] = leader ? Json(leader->value) : Json(nullptr);
  const rsm::Engine& engine = sources_.replica.engine();
  status["role"] = state_ == ReplicaState::leading ? "leader" : "follower";
  status["term"] = rsm::cft::term_of(engine.core().promise());
  status["epoch"] = engine.members().epoch.value;
  status["committed"] = rsm::commit_index(engine.core().log().stable().lsn).value;
  status["durable"] = rsm::commit_index(engine.durable()).value;
  status["waiting_for"] = waiting_for();
  status["last_error"] = sources_.replica.failure();
  status["durability"] = config::word_of(cluster.durability);
  status["applied"] = sources_.machine.applied().value;
  status["entries"] = sources_.machine.entries();
  status["state_bytes"] = sources_.machine.state_bytes_used();
  status["sessions"] = sources_.machine.open_sessions();
  status["commands"] = {{"done", commands.done},
                        {"reads", commands.reads},
                        {"local_reads", commands.local_reads},
                        {"not_leader", commands.not_leader},
                        {"busy", commands.busy},
                        {"unknown_outcome", commands.unknown_outcome},
                        {"refused", commands.refused},
                        {"forbidden", commands.forbidden}};
  status["clients"] = {{"connections", sources_.door.client_connections()},
                       {"handshakes", sources_.door.client_handshakes()}};
  status["links"] = Json::array();
  for (std::size_t link = 0; link < sources_.pairing.links.size(); ++link) {
    if (const auto standing = standing_of(sources_, link)) {
      status["links"].push_back(link_json(sources_, link, *standing));
    }
  }
  return status.dump();
}

std::vector<transport::MetricSample> ReplicaReport::metrics() const {
  std::vector<transport::MetricSample> samples;
  MetricSeries series(samples);
  series.build(MALLARD_VERSION, "replica", sources_.pairing.clusters[sources_.self.cluster.value].name,
               sources_.self.replica.value);
  add_state(series, rsm::replica_state_name(state_));
  const rsm::KvMachine& machine = sources_.machine;
  const rsm::Engine& engine = sources_.replica.engine();
  series.gauge("mallard_replica_term", "The reign that the replica follows or leads.", {},
               rsm::cft::term_of(engine.core().promise()));
  series.gauge("mallard_replica_epoch", "The membership of the cluster, counted from 1.", {},
               engine.members().epoch.value);
  series.gauge("mallard_replica_committed_index", "Newest entry of the log that is known to be decided.", {},
               rsm::commit_index(engine.core().log().stable().lsn).value);
  series.gauge("mallard_replica_durable_index",
               "Newest entry of the log that is as durable as the configuration asks.", {},
               rsm::commit_index(engine.durable()).value);
  series.gauge("mallard_replica_applied_index", "Newest entry of the log that is executed.", {},
               machine.applied().value);
  series.gauge("mallard_replica_entries", "Keys that are stored.", {}, machine.entries());
  series.gauge("mallard_replica_state_bytes", "Memory that keys and values take.", {},
               machine.state_bytes_used());
  series.gauge("mallard_replica_sessions", "Sessions of clients that are open.", {}, machine.open_sessions());
  series.gauge("mallard_replica_pool_free_bytes", "Room for commands, batches and answers on their way.", {},
               sources_.pool.free_bytes());
  const rsm::CommandDeskCounters& commands = sources_.replica.commands().counters();
  const auto count = [&series](const char* outcome, std::uint64_t value) {
    series.counter("mallard_replica_commands_total", "Requests of clients, by what became of them.",
                   {{"outcome", outcome}}, value);
  };
  count("done", commands.done);
  count("not_leader", commands.not_leader);
  count("busy", commands.busy);
  count("unknown_outcome", commands.unknown_outcome);
  count("refused", commands.refused);
  count("forbidden", commands.forbidden);
  const auto count_reads = [&series](const char* kind, std::uint64_t value) {
    series.counter("mallard_replica_reads_total", "Reads that were answered; none of them is in the log.",
                   {{"kind", kind}}, value);
  };
  count_reads("linearizable", commands.reads);
  count_reads("local", commands.local_reads);
  const rsm::LinkDeskCounters& links = sources_.replica.links().counters();
  series.counter("mallard_replica_batches_sent_total", "Batches that were handed to the gateway.", {},
                 links.batches_sent);
  series.counter("mallard_replica_applies_proposed_total",
                 "Batches from other clusters that this replica put into the log.", {},
                 links.applies_proposed);
  series.counter("mallard_replica_applies_refused_total",
                 "Batches from other clusters that the machine had no room for when they were executed.", {},
                 links.applies_refused);
  series.counter("mallard_replica_gateways_cut_off_total", "Gateways that ordered more than fits.", {},
                 links.gateways_cut_off);
  series.counter("mallard_replica_bodies_evicted_total",
                 "Outbound batches whose body made room before it was known to have arrived.", {},
                 sources_.replica.links().bodies().evicted());
  add_conflicts(sources_, series);
  const transport::door::DoorServerCounters& door = sources_.door.counters();
  series.counter("mallard_door_accepted_total", "Connections to the local door.", {}, door.accepted);
  series.counter("mallard_door_refused_total", "Connections that were closed at once, by why.",
                 {{"reason", "pending"}}, door.refused_by_pending);
  series.counter("mallard_door_refused_total", "Connections that were closed at once, by why.",
                 {{"reason", "user"}}, door.refused_by_user);
  add_client_door(series, sources_.door);
  return samples;
}

}  // namespace mallard::cli
