// The processes of a cluster that is measured: copies of this process, one for each replica, and a writer in
// whichever leads.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/bench/bench_replica.h"
#include "cli/bench/shared_array.h"
#include "cli/demo/child_process.h"
#include "config/base/result.h"
#include "config/pairing.h"

namespace mallard::cli {

// What the processes are told while they run.
struct BenchOrders {
  std::atomic<bool> stop = false;
  std::atomic<std::uint32_t> window = 0;   // writes that the leader keeps under way
  std::atomic<std::int64_t> pause_ns = 0;  // between two of them
  std::atomic<bool> sampling = false;      // of the time from proposing to the callback; with window 1
};

// The times that were sampled, in ns; those beyond the room are not kept.
struct BenchSamples {
  explicit BenchSamples(std::size_t room) : count(1), values(room) {}
  SharedArray<std::atomic<std::uint64_t>> count;  // one
  SharedArray<std::uint32_t> values;
};

struct BenchClusterSettings {
  BenchReplicaSettings replica;  // without `self`
  config::Wait wait = config::Wait::spin;
  Duration between_writes;  // that a leader leaves at least
};

class BenchCluster {
 public:
  // `settings.replica.folder` exists and is empty. `samples` may be null and outlives the cluster; so does
  // what `interrupted` refers to, which a signal handler sets.
  BenchCluster(const BenchClusterSettings& settings, BenchSamples* samples, const volatile int& interrupted);
  BenchCluster(const BenchCluster&) = delete;
  BenchCluster& operator=(const BenchCluster&) = delete;

  // Starts the processes with one write under way, and waits until all replicas execute what one leads. The
  // error is a sentence, also below.
  [[nodiscard]] Result<void, std::string> start();
  // Who leads; the latest, if several think so.
  [[nodiscard]] std::optional<std::size_t> leader() const;
  [[nodiscard]] BenchOrders& orders() { return orders_[0]; }
  [[nodiscard]] const BenchSeat& seat(std::size_t replica) const { return seats_[replica]; }
  [[nodiscard]] std::size_t replicas() const { return seats_.size(); }
  // Reigns that were begun, by all replicas.
  [[nodiscard]] std::uint64_t reigns() const;

  // Lets time pass until `is_so` says so. An error after `patience`, at an interrupt, or when one of the
  // processes has ended that was not struck.
  template <class Predicate>
  [[nodiscard]] Result<void, std::string> wait_until(Predicate is_so, Duration patience,
                                                     const std::string& what) {
    const Instant end = BenchReplica::clock() + patience;
    while (!is_so()) {
      if (const std::string wrong = trouble(); !wrong.empty()) {
        return Failure<std::string>(wrong);
      }
      if (BenchReplica::clock() > end) {
        return Failure<std::string>(what + ": " + state_text());
      }
      pause();
    }
    return {};
  }
  // Lets this much time pass.
  [[nodiscard]] Result<void, std::string> wait_for(Duration time);
  // Sends the signal that ends the replica's part in the cluster.
  void strike(std::size_t replica, int signal);

  // No more writes; waits until all replicas that were not struck have executed the same, and compares what.
  [[nodiscard]] Result<void, std::string> drain_and_compare();
  // Ends the processes, in order if they do so.
  void stop();

 private:
  [[nodiscard]] std::string trouble();
  [[nodiscard]] std::string last_words(std::size_t replica) const;
  [[nodiscard]] std::string state_text() const;
  [[nodiscard]] std::filesystem::path log_path(std::size_t replica) const;
  static void pause();

  BenchClusterSettings settings_;
  BenchSamples* samples_;
  const volatile int& interrupted_;
  SharedArray<BenchOrders> orders_;
  SharedArray<BenchSeat> seats_;
  std::vector<ChildProcess> processes_;
  std::vector<bool> struck_;
};

}  // namespace mallard::cli
