#include "cli/replica/start_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "cli/page_seconds.h"
#include "rsm/replica/replica.h"

namespace mallard::cli {
namespace {

using rsm::ReplicaState;

constexpr std::array<ReplicaState, 6> states{ReplicaState::recovering, ReplicaState::needs_snapshot,
                                             ReplicaState::following,  ReplicaState::leading,
                                             ReplicaState::electing,   ReplicaState::failed};

}  // namespace

transport::AdminSnapshot start_page(const StartStanding& standing, Instant now) {
  const Duration waited = now - standing.since;
  const std::string why = fmt::format("it has not begun yet; waits for {}, for {} s", standing.waiting_for,
                                      whole_seconds(waited));
  nlohmann::ordered_json status;
  status["process"] = "replica";
  status["cluster"] = standing.cluster;
  status["id"] = standing.id.value;
  status["version"] = MALLARD_VERSION;
  status["incarnation"] = fmt::to_string(standing.incarnation.value);
  status["uptime_s"] = page_seconds(now - standing.started);
  status["ready"] = false;
  status["not_ready_because"] = why;
  status["state"] = starting_state;
  status["since_s"] = page_seconds(waited);
  status["leader"] = nullptr;
  status["role"] = "follower";
  for (const char* unknown : {"term", "epoch", "committed", "durable"}) {
    status[unknown] = 0;
  }
  status["waiting_for"] = standing.waiting_for;
  status["last_error"] = "";
  status["applied"] = 0;
  status["links"] = nlohmann::ordered_json::array();
  transport::AdminSnapshot page{
      .status_json = status.dump(), .metrics = {}, .ready = false, .not_ready_because = why};
  MetricSeries series(page.metrics);
  series.build(MALLARD_VERSION, "replica", standing.cluster, standing.id.value);
  add_state(series, starting_state);
  return page;
}

std::string missing_majority(const rsm::WitnessDesk& witnesses, std::size_t processes,
                             memory::ProcessIndex self) {
  std::string silent;
  for (std::uint16_t i = 0; i < processes; ++i) {
    if (i != self.value && !witnesses.has_said(memory::ProcessIndex(i))) {
      silent += fmt::format("{}{}", silent.empty() ? "" : ", ", i);
    }
  }
  const std::size_t others = processes / 2;
  return fmt::format("{} more of replicas {} to make a majority",
                     others - std::min(others, witnesses.heard()), silent);
}

void add_state(MetricSeries& series, std::string_view state) {
  const auto add = [&](std::string_view name) {
    series.gauge("mallard_replica_state", "1 for the state that the replica is in.",
                 {{"state", std::string(name)}}, name == state ? 1 : 0);
  };
  add(starting_state);
  for (const ReplicaState known : states) {
    add(rsm::replica_state_name(known));
  }
}

}  // namespace mallard::cli
