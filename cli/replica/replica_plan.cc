#include "cli/replica/replica_plan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "config/base/bytes.h"
#include "config/base/limits.h"
#include "config/canonical_bytes.h"
#include "crypto/digest.h"
#include "rsm/replica/journal/segment_scan.h"
#include "transport/channel/listen_host.h"

namespace mallard::cli {
namespace {

// Large enough for what a replica misses while it is restarted, small enough that a dozen of them fit into a
// small machine.
constexpr std::uint64_t ring_bytes = 9U << 19;
constexpr std::uint64_t chunk_bytes = 256U << 10;
constexpr std::uint64_t state_bytes = 256ULL << 20;
constexpr std::uint64_t view_bytes = 64ULL << 20;
// Of outbound bodies, per link: what may wait while the other cluster changes its leader.
constexpr std::uint64_t egress_bytes_max = 8ULL << 20;

// Times for replicas that sleep when they have nothing to do and share cores with others.
rsm::cft::CftSettings patient_core() {
  rsm::cft::CftSettings core;
  core.payload_bytes_max = command_bytes_max;
  core.credit_bytes = ring_bytes / 4;
  core.keep_bytes = ring_bytes / 2;
  core.poll_interval = Duration::milliseconds(5);
  core.stale_after = Duration::milliseconds(20);
  core.stall_after = Duration::milliseconds(500);
  core.rest = Duration::milliseconds(100);
  core.lag_patience = Duration::milliseconds(500);
  core.demand_window = Duration::seconds(2);
  return core;
}

// Times for replicas that have a core each: those of the engine itself.
rsm::cft::CftSettings brisk_core() {
  rsm::cft::CftSettings core = patient_core();
  const rsm::cft::CftSettings brisk;
  core.poll_interval = brisk.poll_interval;
  core.stale_after = brisk.stale_after;
  core.stall_after = brisk.stall_after;
  core.rest = brisk.rest;
  core.lag_patience = brisk.lag_patience;
  core.demand_window = brisk.demand_window;
  return core;
}

rsm::LinkDeskSettings plan_links(const config::Pairing& pairing, ClusterIndex self) {
  rsm::LinkDeskSettings desk;
  desk.egress.links = pairing.links.size();
  desk.egress.bytes = rsm::egress_bytes_min;
  for (std::uint16_t l = 0; l < pairing.links.size(); ++l) {
    const config::LinkSettings& link = pairing.links[l];
    if (link.from == self) {
      desk.egress.bytes =
          std::max<std::uint64_t>(desk.egress.bytes, std::min(link.window.bytes, egress_bytes_max));
      desk.openings.push_back(
          {.link = LinkIndex(l), .direction = LinkDirection::outbound, .prefixes = link.include});
    } else if (link.to == self) {
      desk.openings.push_back({.link = LinkIndex(l), .direction = LinkDirection::inbound, .prefixes = {}});
    }
  }
  return desk;
}

}  // namespace

rsm::cft::MemoryLayout plan_layout(const config::Pairing& pairing, ClusterIndex cluster) {
  return {.processes = pairing.clusters[cluster.value].replicas.size(),
          .ring_bytes = ring_bytes,
          .chunk_bytes = chunk_bytes};
}

rsm::cft::CftSettings plan_core(config::Wait wait) {
  return wait == config::Wait::spin ? brisk_core() : patient_core();
}

std::string spinning_without_cores(const config::ClusterSettings& cluster, std::size_t cores) {
  if (cluster.wait != config::Wait::spin || cores > cluster.replicas.size()) {
    return "";
  }
  return fmt::format(
      "`wait: spin` of cluster {} wants a core for each of its {} replicas on this machine and one for "
      "others, and there are {}: leaders may change by themselves; use `wait: adaptive`",
      cluster.name, cluster.replicas.size(), cores);
}

rsm::ReplicaSettings plan_replica(const config::Pairing& pairing, ReplicaAddress self) {
  const config::ClusterSettings& cluster = pairing.clusters[self.cluster.value];
  rsm::ReplicaSettings settings;
  settings.self = memory::ProcessIndex(self.replica.value);
  settings.layout = plan_layout(pairing, self.cluster);
  settings.durability = cluster.durability == config::Durability::replicated
                            ? rsm::cft::Durability::replicated
                            : rsm::cft::Durability::disk;
  settings.founders = {.set = ~std::uint64_t{0} >> (memory::processes_max - settings.layout.processes)};
  settings.core = plan_core(cluster.wait);
  settings.links = plan_links(pairing, self.cluster);
  for (const config::ClientSettings& client : pairing.clients) {
    settings.commands.clients.push_back({.owner = session_owner(client.key), .prefixes = client.prefixes});
  }
  return settings;
}

transport::ChannelSettings plan_peers(const config::Pairing& pairing, ReplicaAddress self) {
  const config::ClusterSettings& cluster = pairing.clusters[self.cluster.value];
  const config::ReplicaSettings& own = cluster.replicas[self.replica.value];
  transport::ChannelSettings settings;
  settings.self = self;
  settings.listen_host = transport::listen_host(own.host);
  settings.listen_port = own.ports.replicas;
  settings.configuration = crypto::digest_of(config::canonical_bytes(pairing));
  settings.seed = (std::uint64_t{self.cluster.value} << 16) + self.replica.value;
  for (const config::ReplicaSettings& peer : cluster.replicas) {
    if (peer.id != self.replica) {
      settings.peers.push_back({.address = {self.cluster, peer.id},
                                .key = peer.keys.replica,
                                .host = peer.host,
                                .port = peer.ports.replicas});
    }
  }
  return settings;
}

transport::door::ClientDoorSettings plan_client_door(const config::Pairing& pairing, ReplicaAddress self) {
  const config::ReplicaSettings& own = pairing.clusters[self.cluster.value].replicas[self.replica.value];
  transport::door::ClientDoorSettings settings;
  settings.host = transport::listen_host(own.host);
  settings.port = own.ports.clients;
  for (const config::ClientSettings& client : pairing.clients) {
    settings.clients.push_back(client.key);
  }
  return settings;
}

// Users have 32 bits. That two of at most 1,024 keys of one file share 63 bits of their digests does not
// happen.
std::uint64_t session_owner(const PublicKey& client) {
  const auto digest = crypto::digest_of(std::as_bytes(std::span(client.bytes)));
  return ByteReader(std::as_bytes(std::span(digest.bytes))).read<std::uint64_t>() | 1ULL << 63U;
}

rsm::KvSettings plan_machine() { return {.state_bytes = state_bytes, .view_bytes = view_bytes}; }

// With nothing but small groups each entry takes a block for its head and for what its group leaves unused;
// and a segment is left when the next group may not fit.
rsm::journal::JournalSettings plan_journal() {
  rsm::journal::JournalSettings settings{.group_bytes_max = 2U << 20,
                                         .body_bytes_max = command_bytes_max + 4096};
  const rsm::JournalRoom room = rsm::journal_room(rsm::SnapshotSettings{}, ring_bytes);
  const std::uint64_t per_entry = rsm::journal::record_head_bytes + rsm::journal::group_alignment;
  const std::uint64_t per_segment = settings.segment_bytes - settings.group_bytes_max;
  settings.entries_max = static_cast<std::uint32_t>(room.entries);
  settings.segments_max =
      static_cast<std::uint32_t>((room.bytes + room.entries * per_entry) / per_segment + 3);
  return settings;
}

std::filesystem::path usual_memory_folder(const config::Pairing& pairing, ClusterIndex cluster) {
  const auto digest = crypto::digest_of(config::canonical_bytes(pairing));
  std::string mark;
  for (std::size_t i = 0; i < 6; ++i) {
    mark += fmt::format("{:02x}", digest.bytes[i]);
  }
  return fmt::format("/dev/shm/mallard-{}/{}-{}", ::geteuid(), mark, cluster.value);
}

}  // namespace mallard::cli
