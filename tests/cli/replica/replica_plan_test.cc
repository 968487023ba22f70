#include "cli/replica/replica_plan.h"

#include <gtest/gtest.h>

#include "tests/config/pairings.h"
#include "transport/channel/listen_host.h"
#include "transport/memory/shm/shm_settings.h"

namespace mallard::cli {
namespace {

constexpr ReplicaAddress second_of_east{ClusterIndex(0), ReplicaIndex(1)};
constexpr ReplicaAddress only_of_west{ClusterIndex(1), ReplicaIndex(0)};

config::Pairing sample() {
  config::Pairing pairing = config::small_pairing();
  pairing.clusters[0].kind = config::ClusterKind::cft;
  pairing.clusters[0].durability = config::Durability::replicated;
  pairing.links[0].include = {"/app/"};
  return pairing;
}

TEST(ReplicaPlan, says_who_it_is_and_with_whom_it_shares_memory) {
  const rsm::ReplicaSettings settings = plan_replica(sample(), second_of_east);
  EXPECT_EQ(settings.self, memory::ProcessIndex(1));
  EXPECT_EQ(settings.layout.processes, 3U);
  EXPECT_EQ(settings.founders.set, 0b111U);
  EXPECT_EQ(settings.durability, rsm::cft::Durability::replicated);
}

TEST(ReplicaPlan, gives_the_engine_the_times_of_how_its_cluster_waits) {
  config::Pairing pairing = sample();
  const rsm::cft::CftSettings adaptive = plan_replica(pairing, second_of_east).core;
  pairing.clusters[0].wait = config::Wait::spin;
  const rsm::cft::CftSettings spin = plan_replica(pairing, second_of_east).core;
  const rsm::cft::CftSettings of_the_engine;
  EXPECT_EQ(spin.poll_interval, of_the_engine.poll_interval);
  EXPECT_EQ(spin.stall_after, of_the_engine.stall_after);
  EXPECT_LT(spin.poll_interval, adaptive.poll_interval);
  EXPECT_LT(spin.stall_after, adaptive.stall_after);
  EXPECT_EQ(spin.payload_bytes_max, adaptive.payload_bytes_max) << "what it may hold is no matter of time";
  EXPECT_EQ(spin.credit_bytes, adaptive.credit_bytes);
}

TEST(ReplicaPlan, says_where_there_are_too_few_cores_to_spin) {
  config::ClusterSettings cluster = sample().clusters[0];
  EXPECT_EQ(spinning_without_cores(cluster, 1), "") << "it sleeps";
  cluster.wait = config::Wait::spin;
  EXPECT_EQ(spinning_without_cores(cluster, 4), "");
  EXPECT_NE(
      spinning_without_cores(cluster, 3).find("`wait: spin` of cluster east wants a core for each of its 3"),
      std::string::npos);
}

TEST(ReplicaPlan, opens_the_links_of_its_cluster_each_in_its_direction) {
  const rsm::LinkDeskSettings east = plan_replica(sample(), second_of_east).links;
  ASSERT_EQ(east.openings.size(), 1U);
  EXPECT_EQ(east.openings[0].direction, LinkDirection::outbound);
  EXPECT_EQ(east.openings[0].prefixes, std::vector<std::string>{"/app/"});
  const rsm::LinkDeskSettings west = plan_replica(sample(), only_of_west).links;
  ASSERT_EQ(west.openings.size(), 1U);
  EXPECT_EQ(west.openings[0].direction, LinkDirection::inbound);
  EXPECT_TRUE(west.openings[0].prefixes.empty()) << "the source has filtered";
}

TEST(ReplicaPlan, clients_come_in_at_a_port_of_their_own_with_what_they_may) {
  config::Pairing pairing = sample();
  const PublicKey one = config::numbered_key(9001);
  const PublicKey other = config::numbered_key(9002);
  pairing.clients = {{.key = one, .prefixes = {"/app/", "/shared/"}}, {.key = other, .prefixes = {}}};
  const auto door = plan_client_door(pairing, second_of_east);
  EXPECT_EQ(door.clients, (std::vector<PublicKey>{one, other}));
  EXPECT_EQ(door.port, pairing.clusters[0].replicas[1].ports.clients);
  EXPECT_NE(door.port, plan_peers(pairing, second_of_east).listen_port);
  const auto grants = plan_replica(pairing, second_of_east).commands.clients;
  ASSERT_EQ(grants.size(), 2U);
  EXPECT_EQ(grants[0].prefixes, pairing.clients[0].prefixes);
  EXPECT_EQ(grants[0].owner, session_owner(one)) << "wherever it stands in the list";
  EXPECT_NE(session_owner(one), session_owner(other));
  EXPECT_GT(session_owner(one), UINT32_MAX) << "no user of a machine";
  EXPECT_GT(session_owner(other), UINT32_MAX);
}

TEST(ReplicaPlan, peers_are_listened_for_in_the_family_of_the_own_host) {
  config::Pairing pairing = sample();
  const auto listens = [&](const char* host) {
    pairing.clusters[0].replicas[1].host = host;
    return plan_peers(pairing, second_of_east).listen_host;
  };
  EXPECT_EQ(listens("::1"), "::1");
  EXPECT_EQ(listens("10.0.0.10"), "0.0.0.0");
  EXPECT_EQ(listens("fd00::a"), "::");
  EXPECT_EQ(listens("east-1.example.net"), transport::every_address);
  EXPECT_EQ(plan_client_door(pairing, second_of_east).host, transport::every_address);
}

TEST(ReplicaPlan, a_ring_of_the_engine_takes_its_largest_entries_and_windows) {
  const rsm::ReplicaSettings settings = plan_replica(sample(), second_of_east);
  EXPECT_LE(settings.layout.ring_bytes, 8U << 20) << "it is there four times with three replicas";
  EXPECT_GE(settings.layout.ring_bytes, 4 * std::uint64_t{settings.core.payload_bytes_max});
  EXPECT_GE(settings.core.payload_bytes_max, command_bytes_max);
  EXPECT_GE(plan_journal().body_bytes_max, settings.core.payload_bytes_max + rsm::cft::entry_header_bytes);
}

TEST(ReplicaPlan, a_journal_has_room_for_what_lies_between_snapshots) {
  const rsm::ReplicaSettings settings = plan_replica(sample(), second_of_east);
  const rsm::JournalRoom room = rsm::journal_room(settings.snapshots, settings.layout.ring_bytes);
  const rsm::journal::JournalSettings journal = plan_journal();
  EXPECT_GE(journal.entries_max, room.entries);
  // Each entry in a group of its own, which begins a block.
  const std::uint64_t written = room.bytes + room.entries * (116 + 4096);
  EXPECT_GE(std::uint64_t{journal.segments_max - 1} * (journal.segment_bytes - journal.group_bytes_max),
            written);
  EXPECT_LE(std::uint64_t{journal.segments_max} * journal.segment_bytes, 2200ULL << 20) << "of the disk";
}

TEST(ReplicaPlan, each_cluster_of_each_configuration_has_a_memory_folder_of_its_own) {
  const config::Pairing one = sample();
  config::Pairing other = one;
  other.links[0].include = {"/other/"};
  const auto folder = usual_memory_folder(one, ClusterIndex(0));
  EXPECT_NE(folder, usual_memory_folder(one, ClusterIndex(1)));
  EXPECT_NE(folder, usual_memory_folder(other, ClusterIndex(0)));
  const memory::ShmSettings settings{
      .folder = folder.string(), .processes = 3, .layout = {{.bytes = 64, .readers = 1}}};
  EXPECT_TRUE(settings.check().has_value()) << "short enough for a socket";
}

}  // namespace
}  // namespace mallard::cli
