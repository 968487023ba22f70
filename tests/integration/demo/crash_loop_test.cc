// Gateways that are killed again and again, on both sides, at any moment, never more than a cluster tolerates
// at a time: everything arrives once and in order, and nothing hangs.
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "tests/integration/deployment/deployment.h"
#include "tests/integration/deployment/waiting.h"
#include "tests/integration/deployment/workload.h"

namespace mallard::integration {
namespace {

constexpr std::size_t message_bytes = 200;
constexpr std::uint64_t messages_per_step = 400;
constexpr std::uint64_t messages_per_entry = 16;
constexpr int kills = 40;
constexpr std::uint16_t replicas = 3;

class CrashLoop : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  CrashLoop()
      : deployment(built_program(), {{.name = "east"}, {.name = "west"}}),
        source(deployment.directories(ClusterIndex(0)), "east", message_bytes),
        prng(GetParam()) {
    for (const std::filesystem::path& directory : deployment.directories(ClusterIndex(1))) {
      checks.emplace_back(directory, Deployment::link, message_bytes);
    }
  }

  ReplicaAddress draw_replica(std::uint16_t cluster) {
    return {ClusterIndex(cluster), ReplicaIndex(static_cast<std::uint16_t>(prng.below(replicas)))};
  }
  bool everyone_has(std::uint64_t messages) {
    bool all = true;
    for (DeliveryCheck& check : checks) {
      all = check.read_on() == messages && all;
      EXPECT_EQ(check.problem(), "");
    }
    return all || HasFailure();
  }

  Deployment deployment;
  SourceLogs source;
  std::vector<DeliveryCheck> checks;
  Prng prng;
};

TEST_P(CrashLoop, everything_arrives_once_and_in_order) {
  deployment.start_all();
  ASSERT_TRUE(deployment.ready(Duration::seconds(30)));
  for (int kill = 0; kill < kills; ++kill) {
    source.commit(messages_per_step, messages_per_entry);
    // One on each side at most; whoever is down comes back before the next one goes.
    const std::array<ReplicaAddress, 2> victims{draw_replica(0), draw_replica(1)};
    const std::uint64_t sides = prng.between(1, 3);
    for (std::size_t side = 0; side < victims.size(); ++side) {
      if (((sides >> side) & 1) != 0) {
        deployment.process(victims[side]).signal(SIGKILL);
        deployment.process(victims[side]).wait();
      }
    }
    let_pass(Duration::milliseconds(static_cast<std::int64_t>(prng.between(0, 300))));
    for (std::size_t side = 0; side < victims.size(); ++side) {
      if (((sides >> side) & 1) != 0) {
        deployment.start(victims[side]);
      }
    }
    let_pass(Duration::milliseconds(static_cast<std::int64_t>(prng.between(0, 300))));
    static_cast<void>(everyone_has(source.messages()));
    ASSERT_FALSE(HasFailure()) << "after kill " << kill;
  }
  EXPECT_TRUE(wait_until(Duration::seconds(60), [this] { return everyone_has(source.messages()); }))
      << deployment.last_words({ClusterIndex(1), ReplicaIndex(0)});
}

INSTANTIATE_TEST_SUITE_P(Seeds, CrashLoop, ::testing::Values(1));

}  // namespace
}  // namespace mallard::integration
