#include <fmt/format.h>

#include <cstdlib>

#include "tests/sim/world.h"

int main(int argc, char** argv) {
  using namespace mallard::sim;
  const std::uint64_t first = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Choices choices(seed);
    Marks marks;
    const SwarmOptions options = draw_options(choices);
    if (count == 1) fmt::print("{}", options.describe());
    World world(options, choices, marks);
    const Outcome outcome = world.run();
    if (count == 1 || !outcome.failure.checker.empty())
      fmt::print(
          "seed {} events {} virtual {} ms batches {} sent {} lost {} resends {} digest {:x} {} {} t={}us\n",
          seed, outcome.events, outcome.ended_at / 1000000, outcome.batches, outcome.batch_frames_sent,
          outcome.batch_frames_lost, outcome.resends, outcome.digest, outcome.failure.checker,
          outcome.failure.detail, outcome.failure.at / 1000);
  }
}
