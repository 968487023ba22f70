// Makes a failing run smaller, so that people can read it: leaves out kinds of faults, links, batches and
// events, then replaces decisions by duller ones, as long as the same checker still fails.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/choices.h"
#include "tests/sim/run.h"

namespace mallard::sim {

struct Shrunk {
  Reduction reduction;
  ChoiceTrace trace;
  Outcome outcome;
  std::uint64_t runs = 0;
};

// Nothing if the seed does not fail. Takes at most `runs_max` runs.
std::optional<Shrunk> shrink(std::uint64_t seed, std::uint64_t runs_max);

// A file of choices: what shrink() found, one number a line under the names of the streams.
bool save_choices(const std::string& path, const Reduction& reduction, const ChoiceTrace& trace);
bool load_choices(const std::string& path, Reduction& reduction, ChoiceTrace& trace);

}  // namespace mallard::sim
