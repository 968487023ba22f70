// A client that goes on writing, on a thread of its own, whatever becomes of the cluster, and knows what the
// cluster must hold.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/base/time.h"

namespace mallard::integration {

using KvState = std::map<std::string, std::string>;

// Puts, erases and increments under its own prefix, one after the other in a session: what is repeated
// because no answer came counts once, so that after each answer exactly one state is right.
class SteadyWriter {
 public:
  // `directories`: of the replicas of the cluster. It begins held.
  SteadyWriter(const std::vector<std::filesystem::path>& directories, std::string prefix, std::uint64_t seed);
  ~SteadyWriter();
  SteadyWriter(const SteadyWriter&) = delete;
  SteadyWriter& operator=(const SteadyWriter&) = delete;

  void go_on();
  // Waits until nothing of it is under way. False after `limit`.
  [[nodiscard]] bool hold(Duration limit);
  // The entries under its prefix, and how many writes made them; while it is held.
  [[nodiscard]] const KvState& expected() const { return expected_; }
  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  // What was answered that is no answer to a write; empty: nothing. While it is held.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  void run(const std::vector<std::filesystem::path>& directories, std::uint64_t seed);
  // False when there is nothing more to do.
  [[nodiscard]] bool wait_for_turn();
  [[nodiscard]] bool is_ending();

  std::string prefix_;
  KvState expected_;
  std::uint64_t writes_ = 0;
  std::string problem_;

  std::mutex mutex_;  // guards what follows; the above is the thread's while it is busy
  std::condition_variable changed_;
  bool held_ = true;
  bool busy_ = false;
  bool ending_ = false;
  std::thread thread_;
};

// What the replica in this directory itself holds, or why it cannot be known.
struct KvScanned {
  KvState state;
  std::string failure;
};
[[nodiscard]] KvScanned scan_replica(const std::filesystem::path& directory);

// The first difference in words; empty: there is none.
[[nodiscard]] std::string difference(const KvState& expected, const KvState& found);

}  // namespace mallard::integration
