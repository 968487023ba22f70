// One run of the demo, from empty directories to the comparison of all logs.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/demo/copy_counter.h"
#include "cli/demo/demo_deployment.h"
#include "cli/demo/demo_loader.h"
#include "cli/demo/demo_workload.h"
#include "cli/demo/file_watch.h"
#include "cli/demo/log_comparison.h"
#include "cli/demo/replica_watch.h"
#include "config/base/result.h"
#include "config/base/time.h"

namespace mallard::cli {

struct DemoSettings {
  std::filesystem::path root;                  // an empty directory
  std::array<config::ClusterKind, 2> kinds{};  // of the source and the destination
  std::uint16_t replicas = 3;                  // of each cluster
  std::uint64_t seconds = 0;                   // of writes after the records
  bool crash = true;  // kill one replica with its gateway on each side, and start them again
};

struct DemoFault {
  double at_s = 0;
  std::string what;
  double delivered_at_kill = 0;  // share of all messages that stood in the furthest replica's log
};

struct DemoResult {
  DemoWorkload::Counts counts;
  std::vector<DemoFault> faults;
  LogComparison logs;  // of every replica on both sides, logs or states, added up
  double values_per_second = 0;
  double lag_ms_p50 = 0;
  double lag_ms_p99 = 0;
  double copies_per_message = 0;
  std::uint64_t resends = 0;
  double longest_stall_s = 0;  // without an acknowledgement though there was something to write
  double elapsed_s = 0;
  [[nodiscard]] bool identical() const { return logs.identical(); }
};

class DemoRun {
 public:
  // `interrupted` is set by a signal handler; a run that sees it ends with an error. `workload` outlives the
  // run.
  DemoRun(const DemoSettings& settings, DemoWorkload& workload, const volatile int& interrupted);

  // Starts everything, loads, kills and restarts, waits until every replica has everything, and compares.
  // Tells its progress on stderr. The error is a sentence. Processes go on running; stop() ends them.
  [[nodiscard]] Result<DemoResult, std::string> run();
  [[nodiscard]] Result<void, std::string> stop() { return deployment_->stop_all(); }
  [[nodiscard]] const DemoDeployment& deployment() const { return *deployment_; }

 private:
  // The crash of one replica, its cluster's leader where it has one, from before the kill to the end of its
  // fault period.
  enum class CrashStep : std::uint8_t { before, down, starting, settling, over };
  struct Crash {
    std::size_t cluster = 0;
    std::size_t replica = 0;
    double kill_at = 0;  // share of the messages delivered
    CrashStep step = CrashStep::before;
    Instant at;                     // when this step was reached
    std::uint64_t catch_up_to = 0;  // messages, as it came back
  };

  [[nodiscard]] Result<void, std::string> start();
  [[nodiscard]] Result<void, std::string> load_and_deliver();
  [[nodiscard]] Result<void, std::string> tick(Instant now);
  void advance(Crash& crash, Instant now);
  [[nodiscard]] bool is_ready(std::size_t cluster, std::size_t replica) const;
  [[nodiscard]] std::string dead_process();
  [[nodiscard]] Result<void, std::string> open_loader(double rate);
  void open_watch();
  [[nodiscard]] std::size_t victim_of(std::size_t cluster) const;
  // Waits until every replica of a source that Mallard runs has executed what the leader has.
  [[nodiscard]] Result<void, std::string> await_source();
  void take_lag();
  [[nodiscard]] Result<LogComparison, std::string> compare_all() const;
  [[nodiscard]] std::size_t hold_at() const;
  [[nodiscard]] double elapsed(Instant now) const;
  void show_progress(Instant now);
  void tell(Instant now, const std::string& what);

  DemoSettings settings_;
  DemoWorkload& workload_;
  const volatile int& interrupted_;
  Instant began_;
  std::optional<DemoDeployment> deployment_;
  std::unique_ptr<DemoLoader> loader_;
  std::unique_ptr<FileWatch> file_watch_;        // one of the two, of the destination
  std::unique_ptr<ReplicaWatch> replica_watch_;  // likewise
  DeliveryWatch* watch_ = nullptr;               // it
  std::optional<CopyCounter> copies_;
  std::vector<Crash> crashes_;
  DemoResult result_;
  Instant progressed_at_;  // when the slowest replica last had more
  std::uint64_t progressed_ = 0;
  Instant shown_at_;
  bool progress_line_ = false;
};

}  // namespace mallard::cli
