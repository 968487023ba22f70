#include "cli/gateway/gateway_plan.h"

#include <gtest/gtest.h>

#include <vector>

#include "config/base/limits.h"
#include "transport/channel/listen_host.h"

namespace mallard::cli {
namespace {

// Clusters a, b, c with 2, 3 and 1 replicas; links a -> b and b -> a. Nothing joins c.
config::Pairing sample() {
  config::Pairing pairing;
  std::uint16_t port = 1000;
  std::uint8_t key = 1;
  for (const std::uint16_t replicas : std::vector<std::uint16_t>{2, 3, 1}) {
    config::ClusterSettings cluster;
    cluster.name = std::string(1, static_cast<char>('a' + pairing.clusters.size()));
    cluster.faults.u = 1;
    for (std::uint16_t r = 0; r < replicas; ++r) {
      config::ReplicaSettings replica;
      replica.id = ReplicaIndex(r);
      replica.host = "127.0.0.1";
      replica.ports.bridge = port++;
      replica.ports.local = port++;
      replica.keys.gateway.bytes[0] = key++;
      replica.stake = r + 1U;
      cluster.replicas.push_back(replica);
    }
    pairing.clusters.push_back(cluster);
  }
  for (const std::uint16_t from : std::vector<std::uint16_t>{0, 1}) {
    config::LinkSettings link;
    link.name = "link" + std::to_string(from);
    link.from = ClusterIndex(from);
    link.to = ClusterIndex(from == 0 ? 1 : 0);
    link.include = {"/p/"};
    link.window.messages = 100;
    pairing.links.push_back(link);
  }
  return pairing;
}

constexpr ReplicaAddress second_of_b{ClusterIndex(1), ReplicaIndex(1)};
constexpr ReplicaAddress only_of_c{ClusterIndex(2), ReplicaIndex(0)};

TEST(GatewayPlan, the_core_hears_of_all_clusters_and_of_its_own_links) {
  const bridge::BridgeSettings settings = plan_bridge(sample(), second_of_b);
  ASSERT_EQ(settings.clusters.size(), 3U);
  EXPECT_EQ(settings.clusters[1].weights[2], 3U);
  EXPECT_EQ(settings.clusters[1].u, 1U);
  ASSERT_EQ(settings.links.size(), 2U);
  EXPECT_EQ(settings.links[1].from, ClusterIndex(1));
  EXPECT_EQ(settings.links[1].window_messages, 100U);
  EXPECT_TRUE(plan_bridge(sample(), only_of_c).links.empty());
}

TEST(GatewayPlan, the_attachment_hears_of_both_directions) {
  const auto settings = plan_file_attachment(sample(), second_of_b, "/d");
  ASSERT_EQ(settings.outbound.size(), 1U);
  EXPECT_EQ(settings.outbound[0].link, LinkIndex(1));
  EXPECT_EQ(settings.outbound[0].include, std::vector<std::string>{"/p/"});
  ASSERT_EQ(settings.inbound.size(), 1U);
  EXPECT_EQ(settings.inbound[0].name, "link0");
  EXPECT_GE(settings.applies_max, window_batches_max);
}

TEST(GatewayPlan, the_door_of_a_replica_is_told_the_links_and_has_room_in_the_pool) {
  const auto settings = plan_built_in_attachment(sample(), second_of_b, "/d");
  EXPECT_EQ(settings.directory, "/d");
  EXPECT_EQ(settings.self, second_of_b);
  EXPECT_EQ(settings.outbound, std::vector<LinkIndex>{LinkIndex(1)});
  ASSERT_EQ(settings.inbound.size(), 1U);
  EXPECT_EQ(settings.inbound[0].link, LinkIndex(0));
  EXPECT_EQ(settings.inbound[0].applies_max, window_batches_max);
  config::Pairing with_engine = sample();
  with_engine.clusters[1].kind = config::ClusterKind::cft;
  EXPECT_GE(plan_pool(with_engine, second_of_b) - plan_pool(sample(), second_of_b),
            settings.read_ahead * batch_bytes_max);
}

TEST(GatewayPlan, channels_lead_to_linked_clusters_and_to_the_own_cluster_s_others) {
  const auto bridge = plan_channels(sample(), second_of_b, transport::Plane::bridge);
  ASSERT_EQ(bridge.peers.size(), 2U);
  EXPECT_EQ(bridge.peers[0].address, (ReplicaAddress{ClusterIndex(0), ReplicaIndex(0)}));
  EXPECT_EQ(bridge.peers[0].port, 1000);
  EXPECT_EQ(bridge.listen_port, 1006);
  const auto local = plan_channels(sample(), second_of_b, transport::Plane::local);
  ASSERT_EQ(local.peers.size(), 2U);
  EXPECT_EQ(local.peers[1].address, (ReplicaAddress{ClusterIndex(1), ReplicaIndex(2)}));
  EXPECT_EQ(local.listen_port, 1007);
  EXPECT_TRUE(plan_channels(sample(), only_of_c, transport::Plane::bridge).peers.empty());
  EXPECT_EQ(bridge.configuration, plan_channels(sample(), only_of_c, transport::Plane::local).configuration);
}

TEST(GatewayPlan, channels_are_listened_for_in_the_family_of_the_own_host) {
  config::Pairing pairing = sample();
  const auto listens = [&](const char* host) {
    pairing.clusters[1].replicas[1].host = host;
    return plan_channels(pairing, second_of_b, transport::Plane::bridge).listen_host;
  };
  EXPECT_EQ(listens("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(listens("10.0.0.10"), "0.0.0.0");
  EXPECT_EQ(listens("fd00::a"), "::");
  EXPECT_EQ(listens("b-1.example.net"), transport::every_address);
}

TEST(GatewayPlan, a_full_window_fits_a_lane_and_the_pool) {
  config::Pairing pairing = sample();
  pairing.links[0].window = {.messages = 50'000, .bytes = 256ULL << 20};
  const auto channels = plan_channels(pairing, second_of_b, transport::Plane::local);
  EXPECT_GE(channels.limits.data.frames, 50'000U);
  // It comes in by a gateway's weight, at most 3 of 6 here, and by that of a neighbour that is down.
  EXPECT_GE(channels.limits.data.body_bytes, 256ULL << 20);
  EXPECT_GE(plan_pool(pairing, second_of_b), 512ULL << 20);
}

TEST(GatewayPlan, peers_that_hardly_read_leave_the_pool_to_the_others) {
  config::Pairing pairing = sample();
  for (config::ClusterSettings& cluster : pairing.clusters) {
    cluster.replicas.resize(4);
    for (config::ReplicaSettings& replica : cluster.replicas) replica.stake = 1;
  }
  const std::uint64_t window = pairing.links[0].window.bytes;
  const std::uint64_t bridge_lane =
      plan_channels(pairing, second_of_b, transport::Plane::bridge).limits.data.body_bytes;
  const std::uint64_t local_lane =
      plan_channels(pairing, second_of_b, transport::Plane::local).limits.data.body_bytes;
  EXPECT_EQ(bridge_lane, window / 2) << "its own share and that of one that is down";
  EXPECT_EQ(local_lane, window / 2);
  // Two of each cluster can QUACK without the others. The core holds one window out, and two in.
  EXPECT_GE(plan_pool(pairing, second_of_b), 3 * window + 2 * bridge_lane + 2 * local_lane);
  // Lanes that carry no batches take what the largest needs.
  pairing.links.pop_back();
  EXPECT_EQ(plan_channels(pairing, second_of_b, transport::Plane::bridge).limits.data.body_bytes,
            batch_bytes_max + proof_bytes_max);
}

TEST(GatewayPlan, memory_follows_the_windows) {
  config::Pairing pairing = sample();
  const MemoryPlan small = plan_memory(pairing, second_of_b);
  pairing.links[0].window.bytes *= 2;
  const MemoryPlan large = plan_memory(pairing, second_of_b);
  EXPECT_GE(large.pool - small.pool, 2 * (64ULL << 20));
  EXPECT_EQ(large.core, small.core);
  EXPECT_EQ(small.total(), small.pool + small.channels + small.core + small.attachment + small.program);
}

}  // namespace
}  // namespace mallard::cli
