// The power goes in two clusters with a link between them, all processes real and each machine with a disk of
// its own that forgets what was not synced: what was acknowledged is there afterwards, on both sides, and
// once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/base/prng.h"
#include "tests/integration/deployment/replica_clusters.h"
#include "tests/integration/deployment/waiting.h"
#include "tests/integration/disk/steady_writer.h"
#include "tests/integration/forgetful_disk/forgetful_mount.h"

namespace mallard::integration {
namespace {

constexpr ClusterIndex east(0);
constexpr ClusterIndex west(1);
constexpr Duration start_patience = Duration::seconds(60);
constexpr Duration delivery_patience = Duration::seconds(60);
constexpr std::uint64_t writers = 3;
constexpr int usual_cuts = 20;

// How often the power goes; MALLARD_POWER_CUTS in the environment says otherwise.
int cuts() {
  const char* given = std::getenv("MALLARD_POWER_CUTS");
  return given == nullptr ? usual_cuts : std::max(1, std::atoi(given));
}

class PowerCut : public ::testing::Test {
 protected:
  // Two clusters under load, each replica with its gateway on a machine of its own.
  void begin(config::Durability durability) {
    ReplicaClustersSettings settings{.clusters = 2, .durability = durability, .root = {}, .places = {}};
    for (const ClusterIndex cluster : {east, west}) {
      for (std::uint16_t r = 0; r < ReplicaClusters::replicas; ++r) {
        const ReplicaAddress address{cluster, ReplicaIndex(r)};
        auto mounted = ForgetfulMount::mount();
        ASSERT_TRUE(mounted) << mounted.error();
        settings.places[address] = mounted->path() / "data";
        disks.emplace(address, std::move(*mounted));
      }
    }
    clusters = std::make_unique<ReplicaClusters>(settings);
    for (const auto& [address, disk] : disks) ASSERT_TRUE(disk.tell("sync"));  // the keys are old
    clusters->start_all();
    ASSERT_TRUE(clusters->ready(start_patience)) << clusters->last_words();
    clusters->founded();
    for (std::uint64_t i = 0; i < writers; ++i) {
      load.push_back(
          std::make_unique<SteadyWriter>(clusters->directories(east), "writer" + std::to_string(i) + "/", i));
    }
  }

  // Lets clients write for a while; they do not stop at its end.
  void write_for_a_while() {
    for (const auto& writer : load) writer->go_on();
    let_pass(Duration::milliseconds(static_cast<std::int64_t>(prng.between(200, 900))));
  }
  void lose_power(ReplicaAddress address) {
    const bool tears = prng.below(2) == 0;
    ASSERT_TRUE(disks.at(address).tell(tears ? "tear " + std::to_string(prng.next() >> 8) : "drop"));
  }

  void expect_everything() {
    KvState expected;
    std::uint64_t written = 0;
    for (const auto& writer : load) {
      ASSERT_TRUE(writer->hold(start_patience)) << "a write is never answered\n" << clusters->last_words();
      ASSERT_EQ(writer->problem(), "");
      expected.insert(writer->expected().begin(), writer->expected().end());
      written += writer->writes();
    }
    EXPECT_GT(written, written_before) << "nothing was written";
    written_before = written;
    for (const ReplicaAddress& address : clusters->addresses()) {
      std::string wrong;
      EXPECT_TRUE(wait_until(delivery_patience,
                             [&] {
                               const KvScanned scanned = scan_replica(clusters->directory(address));
                               wrong = scanned.failure.empty() ? difference(expected, scanned.state)
                                                               : scanned.failure;
                               return wrong.empty();
                             }))
          << clusters->directory(address).parent_path().parent_path() << " cluster " << address.cluster.value
          << " replica " << address.replica.value << ": " << wrong << "\n"
          << clusters->last_words();
    }
  }

  std::map<ReplicaAddress, ForgetfulMount> disks;
  std::unique_ptr<ReplicaClusters> clusters;
  std::vector<std::unique_ptr<SteadyWriter>> load;
  Prng prng{7};
  std::uint64_t written_before = 0;
};

TEST_F(PowerCut, OfAllTwelveProcessesLosesNothingAcknowledged) {
  ASSERT_NO_FATAL_FAILURE(begin(config::Durability::disk));
  for (int cut = 1; cut <= cuts(); ++cut) {
    write_for_a_while();
    clusters->kill_all();
    for (const auto& [address, disk] : disks) ASSERT_NO_FATAL_FAILURE(lose_power(address));
    clusters->start_all();
    ASSERT_TRUE(clusters->ready(start_patience)) << "cut " << cut << "\n" << clusters->last_words();
    expect_everything();
    ASSERT_FALSE(HasFailure()) << "cut " << cut;
  }
  RecordProperty("writes", std::to_string(written_before));
}

// Memory of a majority is what such a cluster promises by: it lives through what leaves a majority alive.
TEST_F(PowerCut, OfAsManyMachinesAsEachClusterToleratesLosesNothingThatMemoryPromised) {
  ASSERT_NO_FATAL_FAILURE(begin(config::Durability::replicated));
  for (int cut = 1; cut <= cuts(); ++cut) {
    write_for_a_while();
    std::vector<ReplicaAddress> victims;
    for (const ClusterIndex cluster : {east, west}) {
      const std::size_t drawn = prng.below(ReplicaClusters::replicas);
      const std::size_t id = prng.below(3) != 0 ? clusters->leader(cluster).value_or(drawn) : drawn;
      victims.push_back({cluster, ReplicaIndex(static_cast<std::uint16_t>(id))});
    }
    for (const ReplicaAddress& victim : victims) {
      clusters->kill(victim);
      ASSERT_NO_FATAL_FAILURE(lose_power(victim));
    }
    let_pass(Duration::milliseconds(static_cast<std::int64_t>(prng.below(500))));
    for (const ReplicaAddress& victim : victims) clusters->start(victim);
    ASSERT_TRUE(clusters->ready(start_patience)) << "cut " << cut << "\n" << clusters->last_words();
    expect_everything();
    ASSERT_FALSE(HasFailure()) << "cut " << cut;
  }
}

}  // namespace
}  // namespace mallard::integration
