// Gateways that are killed again and again, on both sides, at any moment, never more than a cluster tolerates
// at a time: everything arrives once and in order, and nothing hangs.
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bridge/attach/file/delivered_log.h"
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

class LostStorage : public CrashLoop {
 protected:
  static constexpr ReplicaAddress victim{ClusterIndex(1), ReplicaIndex(1)};

  std::filesystem::path delivered_log() {
    return bridge::file::delivered_log_path(deployment.directory(victim), Deployment::link);
  }
  void deliver_some() {
    deployment.start_all();
    ASSERT_TRUE(deployment.ready(Duration::seconds(30)));
    source.commit(20'000, messages_per_entry);
    ASSERT_TRUE(wait_until(Duration::seconds(60), [this] { return everyone_has(source.messages()); }));
    deployment.process(victim).signal(SIGKILL);
    deployment.process(victim).wait();
  }
};

TEST_P(LostStorage, a_replica_whose_log_is_gone_gets_it_back_from_its_own_cluster) {
  ASSERT_NO_FATAL_FAILURE(deliver_some());
  std::filesystem::remove(delivered_log());
  checks[victim.replica.value] = DeliveryCheck(deployment.directory(victim), Deployment::link, message_bytes);
  deployment.start(victim);
  source.commit(2'000, messages_per_entry);
  EXPECT_TRUE(wait_until(Duration::seconds(60), [this] { return everyone_has(source.messages()); }))
      << deployment.last_words(victim);
}

TEST_P(LostStorage, a_replica_whose_log_is_damaged_refuses_to_start_and_says_why) {
  ASSERT_NO_FATAL_FAILURE(deliver_some());
  {
    std::fstream log(delivered_log(), std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(static_cast<std::streamoff>(std::filesystem::file_size(delivered_log()) / 2));
    log << "damage";
  }
  deployment.start(victim);
  EXPECT_EQ(deployment.process(victim).wait(), 5);
  EXPECT_NE(deployment.last_words(victim).find("has a damaged record"), std::string::npos);
  source.commit(100, messages_per_entry);
  checks.erase(checks.begin() + victim.replica.value);
  EXPECT_TRUE(wait_until(Duration::seconds(60), [this] { return everyone_has(source.messages()); }))
      << "the others go on";
}

INSTANTIATE_TEST_SUITE_P(Seeds, LostStorage, ::testing::Values(1));
INSTANTIATE_TEST_SUITE_P(Seeds, CrashLoop, ::testing::Values(1));

}  // namespace
}  // namespace mallard::integration
