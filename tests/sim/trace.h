// The story of one run for people: a line for each frame, effect and life, with the time in milliseconds.
#pragma once

#include <cstdio>

#include "tests/sim/checkers/checkers.h"

namespace mallard::sim {

// Writes to `out`, which outlives the world.
CheckerPointer make_trace(Stage& stage, const Replicas& replicas, std::FILE* out);

}  // namespace mallard::sim
