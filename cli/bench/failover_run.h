// How long nobody writes when a leader is gone: the measurement behind `mallard bench failover`.
#pragma once

#include <cstdint>
#include <string>

#include "config/base/result.h"
#include "config/pairing.h"

namespace mallard::cli {

struct FailoverSettings {
  config::Durability durability = config::Durability::replicated;
  config::Wait wait = config::Wait::spin;
  std::uint64_t rounds = 20;         // kill -9 and SIGSTOP in turn
  std::uint64_t quiet_seconds = 10;  // without a fault
};

struct FailoverFigures {
  std::uint64_t rounds = 0;
  double failover_us_p50 = 0;
  double failover_us_p99 = 0;
};

// A new cluster of three in each round, with one write under way in whoever leads: from the signal to the
// leader until the first write that the next leader proposed was decided there. A round counts if everything
// that the old leader had executed is what the others executed. What each signal took by itself, and the
// leaders that changed in the quiet time, go to stderr. The error is a sentence.
[[nodiscard]] Result<FailoverFigures, std::string> run_failover(const FailoverSettings& settings,
                                                                const volatile int& interrupted);

}  // namespace mallard::cli
