// Many seeds, in several processes, with one summary.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/sim/run.h"

namespace mallard::sim {

struct CampaignPlan {
  std::uint64_t first = 1;
  std::uint64_t seeds = 200;   // 1 to campaign_seeds_max
  unsigned jobs = 1;           // processes; 1 to campaign_jobs_max
  std::uint64_t minutes = 0;   // stop after these; 0: when the seeds are done
  bool stop_at_first = false;  // failure
};

inline constexpr std::uint64_t campaign_seeds_max = 10'000'000;
inline constexpr unsigned campaign_jobs_max = 64;
// From this many seeds on every mark must have been reached.
inline constexpr std::uint64_t marks_due_seeds = 2'000;
// Every so many seeds one is run twice and must do the same.
inline constexpr std::uint64_t determinism_every = 50;

// Prints failures as they come and a summary at the end. True if there was no failure and, in a campaign that
// is large enough, no mark was left out.
bool run_campaign(const CampaignPlan& plan);

// "FAIL seed=... checker=... time=... detail", and how to see it again.
void print_failure(std::uint64_t seed, const Failure& failure);

}  // namespace mallard::sim
