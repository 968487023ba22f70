// What the admin pages of a replica show before it has begun: it reads its journal, or waits for the others.
// From then on they show a ReplicaReport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cli/metric_series.h"
#include "config/base/ids.h"
#include "config/base/time.h"
#include "rsm/replica/witness_desk.h"
#include "transport/admin/admin_snapshot.h"

namespace mallard::cli {

// The state of a replica that has not begun, beside those of rsm::ReplicaState.
inline constexpr std::string_view starting_state = "starting";

struct StartStanding {
  std::string cluster;
  ReplicaIndex id;
  Incarnation incarnation;
  Instant started;
  std::string waiting_for;  // a phrase; never empty
  Instant since;            // it waits for that
};

// Not ready. The object of /status has the fields of a replica's, with what is not known yet at 0.
[[nodiscard]] transport::AdminSnapshot start_page(const StartStanding& standing, Instant now);

// What a replica, one of so many, waits for while too few of the others have said what they saw of it: a
// phrase.
[[nodiscard]] std::string missing_majority(const rsm::WitnessDesk& witnesses, std::size_t processes,
                                           memory::ProcessIndex self);

// mallard_replica_state: a series for each state, 1 for the one with this name.
void add_state(MetricSeries& series, std::string_view state);

[[nodiscard]] constexpr std::int64_t whole_seconds(Duration span) { return span.ns / 1'000'000'000; }

}  // namespace mallard::cli
