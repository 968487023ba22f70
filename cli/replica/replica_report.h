// What a replica process shows of itself: the object of /status and the series of /metrics.
#pragma once

#include <string>
#include <vector>

#include "config/pairing.h"
#include "rsm/machine/kv_machine.h"
#include "rsm/replica/replica.h"
#include "transport/admin/admin_snapshot.h"
#include "transport/door/door_server.h"

namespace mallard::cli {

// Everything is read when a snapshot is taken; all outlive the report.
struct ReplicaSources {
  const config::Pairing& pairing;
  ReplicaAddress self;
  const rsm::Replica& replica;
  const rsm::KvMachine& machine;
  const PayloadPool& pool;
  const transport::door::DoorServer& door;
  Incarnation incarnation;
};

class ReplicaReport {
 public:
  ReplicaReport(const ReplicaSources& sources, Instant started);

  // Looks at the state; call it at every turn.
  void observe(Instant now);
  // More replicas lost their logs than the cluster can do without: no waiting mends that. A sentence without
  // a final stop that says what to do; empty: it is not so.
  [[nodiscard]] std::string beyond_help() const;
  // Ready: it leads or follows a leader that it knows.
  [[nodiscard]] transport::AdminSnapshot snapshot(Instant now);

 private:
  [[nodiscard]] std::string status_json(Instant now) const;
  [[nodiscard]] std::vector<transport::MetricSample> metrics() const;
  // Empty: it is ready.
  [[nodiscard]] std::string not_ready_because(Instant now) const;
  [[nodiscard]] std::string hindrance() const;
  [[nodiscard]] std::string waiting_for() const;

  ReplicaSources sources_;
  Instant started_;
  rsm::ReplicaState state_;
  Instant state_since_;
};

}  // namespace mallard::cli
