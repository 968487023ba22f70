// What the processes of a pairing say of themselves on their admin ports, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"
#include "config/base/time.h"
#include "config/pairing.h"

namespace mallard::cli {

// One link as one of its gateways sees it.
struct LinkStatus {
  std::string name;
  bool is_source = false;
  std::string state;
  double state_seconds = 0;
  std::string waiting_for;              // empty: for nothing
  std::uint64_t committed_message = 0;  // at a destination: as far as the source's replicas have told
  std::uint64_t done_message = 0;       // QUACKed at the source, applied at the destination
  std::uint64_t lag_messages = 0;
  std::uint64_t lag_bytes = 0;
  double lag_seconds = 0;
  double latency_p99_ms =
      0;  // of batches so far: from the log to the QUACK, or from arrival to storage; 0: no batch yet
  std::uint64_t copies = 0;   // sent first by a source, received by a destination
  std::uint64_t repeats = 0;  // resent by a source, dropped as duplicates by a destination
  std::string last_error;
  std::string next;  // what to do about it; empty: nothing
};

// The channel to another process.
struct PeerStatus {
  std::string cluster;
  std::uint64_t id = 0;
  bool is_up = false;
  double since_seconds = 0;
  std::string last_error;
};

// What a replica of a cluster that Mallard runs is doing. Positions are numbers of its log; entries are
// numbered with gaps.
struct EngineStatus {
  std::string state;
  bool leads = false;
  double state_seconds = 0;
  std::optional<std::uint64_t> leader;  // as far as it knows
  std::uint64_t term = 0;
  std::uint64_t epoch = 0;
  std::uint64_t committed = 0;
  std::uint64_t durable = 0;
  std::uint64_t applied = 0;
  std::string waiting_for;  // empty: for nothing
  std::string last_error;
};

enum class ProcessKind : std::uint8_t { gateway, replica };

struct ProcessStatus {
  ProcessKind kind = ProcessKind::gateway;
  std::string cluster;
  std::uint64_t id = 0;
  double uptime_seconds = 0;
  bool is_ready = false;
  std::string not_ready_because;
  std::vector<LinkStatus> links;  // of a gateway, like `peers`
  std::vector<PeerStatus> peers;
  EngineStatus engine;  // of a replica
};

// Reads the JSON of /status. The error is a phrase: what is missing or of the wrong type.
[[nodiscard]] Result<ProcessStatus, std::string> parse_status(std::string_view json);

// The gateway at one replica of a pairing, or the replica itself, and what it answered.
struct ReplicaStatus {
  std::string cluster;
  std::uint64_t id = 0;
  std::uint16_t admin_port = 0;
  Result<ProcessStatus, std::string> answer;  // or why there is none
  std::string page;                           // the JSON as it came; empty without an answer
  ProcessKind kind = ProcessKind::gateway;
};

struct LocalProcesses {
  std::vector<ReplicaStatus> replicas;  // in the order of the file, the gateway before its replica
  std::size_t elsewhere = 0;            // replicas whose host is another machine
};

// Asks every admin port of the pairing on this machine, at the addresses where it is served. The processes of
// a replica are among the answers when one of them says that it is the one, or when its host is an address of
// this machine, or its name.
[[nodiscard]] LocalProcesses ask_local_processes(const config::Pairing& pairing, Duration patience);

}  // namespace mallard::cli
