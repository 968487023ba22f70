// What a replica's parts are told, worked out from the pairing: pure, so that it can be tested.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "config/pairing.h"
#include "rsm/machine/kv_settings.h"
#include "rsm/replica/journal/journal.h"
#include "rsm/replica/replica.h"
#include "transport/channel/channel_set.h"
#include "transport/door/door_server.h"

namespace mallard::cli {

// How the replicas of a cluster divide the memory that they share: alike in all of them.
[[nodiscard]] rsm::cft::MemoryLayout plan_layout(const config::Pairing& pairing, ClusterIndex cluster);

// Windows and times of the engine, for replicas that wait so.
[[nodiscard]] rsm::cft::CftSettings plan_core(config::Wait wait);

// A sentence without a final stop for a cluster whose replicas, all on one machine, take each other's cores
// away; empty: it is well. `cores`: of the machine.
[[nodiscard]] std::string spinning_without_cores(const config::ClusterSettings& cluster, std::size_t cores);

// Without incarnation and founding, which are not the pairing's.
[[nodiscard]] rsm::ReplicaSettings plan_replica(const config::Pairing& pairing, ReplicaAddress self);

// Channels to the other replicas of the cluster. Without plane and incarnation.
[[nodiscard]] transport::ChannelSettings plan_peers(const config::Pairing& pairing, ReplicaAddress self);

// The door for clients on other machines. Nobody may come in: `clients` is empty.
[[nodiscard]] transport::door::ClientDoorSettings plan_client_door(const config::Pairing& pairing,
                                                                   ReplicaAddress self);

// To whom the sessions of a client with this key belong: the same number at every replica and whenever it
// comes, and none that a user of a machine has.
[[nodiscard]] std::uint64_t session_owner(const PublicKey& client);

[[nodiscard]] rsm::KvSettings plan_machine();
[[nodiscard]] rsm::journal::JournalSettings plan_journal();

// Bytes of payload that the replica's pool holds: commands, batches and answers on their way.
inline constexpr std::size_t replica_pool_bytes = 48U << 20;

// Instances of the log region beyond the one in use: one for each other process that may stand still in a
// write, and one to go to.
[[nodiscard]] constexpr std::size_t spare_instances(std::size_t processes) { return processes; }

// The folder where the replicas of a cluster find each other's memory, unless another one is given: of this
// user, the same for all processes that have the same configuration, and short enough for the path of a
// socket.
[[nodiscard]] std::filesystem::path usual_memory_folder(const config::Pairing& pairing, ClusterIndex cluster);

}  // namespace mallard::cli
