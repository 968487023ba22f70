// Seeded storms of clients: several of them read and write the same few keys of a cluster in virtual time,
// each sends what it wants to any replica and never repeats it, while replicas lose power and leaders stand
// still and go on as if nothing had been. Checkers:
//
//   comes_back    in the end every replica takes part, and every key can be read
//   black_box     what clients were told is what one map would have told them (linearizability_checker.h)
//   witness       likewise, with the index in every reply as a witness (witness_checker.h)
#pragma once

#include <cstdint>
#include <string>

namespace mallard::rsm {

struct ClientStormOutcome {
  std::string checker;  // empty: all is well
  std::string what;
  std::uint64_t calls = 0;    // that were answered
  std::uint64_t unknown = 0;  // writes that may have happened or not
  std::uint64_t crashes = 0;
  std::uint64_t pauses = 0;
  std::uint64_t leaders = 0;  // times that another replica led than before
};

[[nodiscard]] ClientStormOutcome run_client_storm(std::uint64_t seed);

}  // namespace mallard::rsm
