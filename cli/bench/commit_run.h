// What a commit costs: the measurement behind `mallard bench commit`.
#pragma once

#include <cstdint>
#include <string>

#include "config/base/result.h"
#include "config/pairing.h"

namespace mallard::cli {

struct CommitSettings {
  config::Durability durability = config::Durability::replicated;
  config::Wait wait = config::Wait::spin;
  std::uint16_t replicas = 3;
  std::uint32_t bytes = 64;
  std::uint64_t seconds = 6;          // a third each for one write at a time, many at a time, and clients
  std::uint64_t commits = 1'000'000;  // one at a time, at most
};

struct CommitFigures {
  std::uint64_t commit_ns_p50 = 0;
  std::uint64_t commit_ns_p99 = 0;
  std::uint64_t commit_ns_p999 = 0;
  std::uint64_t client_ns_p50 = 0;
  std::uint64_t client_ns_p99 = 0;
  std::uint64_t commits_per_second = 0;
  std::uint64_t cpu_ns_per_commit = 0;
};

// How often the ring of the log goes round in a run that counts.
inline constexpr std::uint64_t wraps_min = 100;

// Bytes of that ring: not more than a run can go round so often.
[[nodiscard]] std::uint64_t commit_ring_bytes(const CommitSettings& settings);

// From proposing to the callback, one write at a time, then many at a time: at the engine, in processes of
// their own. Then a client's put at the door of whole replicas. The figures count: every replica executed
// every write in the same order, and the ring went round `wraps_min` times; every put is found in every
// replica. The error is a sentence.
[[nodiscard]] Result<CommitFigures, std::string> run_commit(const CommitSettings& settings,
                                                            const volatile int& interrupted);

}  // namespace mallard::cli
