// Every instant at which a leader may be stopped in the middle of its work and go on after another leads:
// two entries on their way, a regrant, the old writer paused between any two words. All of a scheduler's
// turns are enumerated, for several orders of the fabric.
#include <gtest/gtest.h>

#include "tests/rsm/core/cft/core_cluster.h"

namespace mallard::rsm::cft {
namespace {

constexpr std::size_t slots = 2;
constexpr Duration turn = Duration::microseconds(1);

struct Story {
  std::size_t stop_after = 0;    // turns after the proposals
  std::size_t resume_after = 0;  // turns after the next leader is there
  std::uint64_t seed = 1;
  Durability durability = Durability::replicated;
};

// True if the old leader had something on its way when it stopped.
bool tell(const Story& story) {
  CoreCluster cluster({.durability = story.durability, .seed = story.seed, .turn = turn});
  EXPECT_TRUE(cluster.wait_for_leader());
  EXPECT_TRUE(cluster.decide(1));
  for (std::size_t slot = 0; slot < slots; ++slot) {
    cluster.judge().issued(1'000 + slot, 100);
    cluster.host(0).request(1'000 + slot, 100);
  }
  cluster.run_for(turn * static_cast<std::int64_t>(story.stop_after));
  const bool open = cluster.host(0).core().log().undecided() > 0;
  cluster.pause(0, true);
  EXPECT_TRUE(cluster.run_until([&] { return cluster.leader() != nullptr; }));
  cluster.run_for(turn * static_cast<std::int64_t>(story.resume_after));
  cluster.pause(0, false);
  EXPECT_TRUE(cluster.decide(3)) << cluster.failure();
  EXPECT_TRUE(cluster.run_until([&] { return cluster.level(); })) << cluster.failure();
  EXPECT_FALSE(cluster.judge().failed()) << cluster.failure();
  return open;
}

TEST(PausedWriter, ChangesNothingWheneverItStopsAndGoesOn) {
  std::size_t open = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    for (std::size_t stop = 0; stop < 20; ++stop) {
      for (const std::size_t resume : {0U, 1U, 3U, 9U, 40U}) {
        for (const Durability durability : {Durability::replicated, Durability::disk}) {
          open += tell({stop, resume, seed, durability}) ? 1U : 0U;
          ASSERT_FALSE(HasFailure()) << "stop " << stop << " resume " << resume << " seed " << seed;
        }
      }
    }
  }
  EXPECT_GT(open, 200U) << "the writer must have been stopped in the middle of something";
}

}  // namespace
}  // namespace mallard::rsm::cft
