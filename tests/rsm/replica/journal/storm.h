// Seeded lives of one journal on a simulated disk: it appends, replaces, promises, forgets and dies at any
// change of the disk; its files are damaged, lost or replaced by old ones; and each time it must come back as
// reliability.md 2.9 says. One checker per property, I1 to I9.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "rsm/replica/journal/journal.h"
#include "tests/rsm/replica/journal/journal_model.h"
#include "tests/rsm/replica/journal/sim_disk.h"

namespace mallard::rsm::journal {

// How often what a storm is for has happened: a storm that reaches none of it proves nothing.
struct StormMarks {
  std::uint64_t crashes = 0;
  std::uint64_t crashes_in_opening = 0;
  std::uint64_t tails_cut = 0;
  std::uint64_t unsynced_kept = 0;
  std::uint64_t suffixes_replaced = 0;
  std::uint64_t repairs = 0;
  std::uint64_t segments_recycled = 0;
  std::uint64_t restarts = 0;
  std::uint64_t disk_failures = 0;
  std::uint64_t damaged_middles = 0;
  std::uint64_t tails_lost = 0;
  std::uint64_t superblocks_lost = 0;
  std::uint64_t superblocks_regressed = 0;
  std::uint64_t stores_refused = 0;
  std::uint64_t old_copies_noticed = 0;

  void add(const StormMarks& other);
};

struct StormOptions {
  std::uint64_t seed = 1;
  // Instead of at drawn moments, the power goes once: during the change of this number of the first life.
  std::optional<std::uint64_t> crash_at;
  SimDisk::Loss loss = SimDisk::Loss::some;  // with crash_at
};

struct StormOutcome {
  Complaint complaint;
  StormMarks marks;
  std::uint64_t changes = 0;  // of the disk in the first life
};

[[nodiscard]] StormOutcome run_storm(const StormOptions& options);

}  // namespace mallard::rsm::journal
