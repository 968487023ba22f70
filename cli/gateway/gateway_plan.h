// What a gateway's parts are told, worked out from the pairing: pure, so that it can be printed and tested.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "bridge/attach/built_in/built_in_attachment.h"
#include "bridge/attach/file/file_attachment.h"
#include "bridge/core/bridge_settings.h"
#include "config/pairing.h"
#include "transport/channel/channel_set.h"

namespace mallard::cli {

// The core's settings for the replica `self`, without generations and cursors: those are the attachment's to
// tell.
[[nodiscard]] bridge::BridgeSettings plan_bridge(const config::Pairing& pairing, ReplicaAddress self);

// Of a cluster that others run: its log lies in `directory`.
[[nodiscard]] bridge::file::FileAttachmentSettings plan_file_attachment(
    const config::Pairing& pairing, ReplicaAddress self, const std::filesystem::path& directory);
// Of a cluster that Mallard runs: `directory` is the replica process's. Without the incarnation.
[[nodiscard]] bridge::built_in::BuiltInSettings plan_built_in_attachment(
    const config::Pairing& pairing, ReplicaAddress self, const std::filesystem::path& directory);

// Channels on one plane: to every replica of each cluster that shares a link with ours, or to our own
// cluster's others. Without the incarnation.
[[nodiscard]] transport::ChannelSettings plan_channels(const config::Pairing& pairing, ReplicaAddress self,
                                                       transport::Plane plane);

// The largest memory that a gateway uses, by part. Each is allocated at start or bounded by what is.
struct MemoryPlan {
  std::uint64_t pool = 0;      // payloads: windows of all links, lanes of slow peers, what is read back, what
                               // peers are just sending
  std::uint64_t channels = 0;  // queues and TLS of all peers, pending handshakes
  std::uint64_t core = 0;      // slots and reports of all links
  std::uint64_t attachment = 0;  // buffers, indices and orders of the logs, or of the door
  std::uint64_t program = 0;     // code, libraries, threads, admin pages
  [[nodiscard]] std::uint64_t total() const { return pool + channels + core + attachment + program; }
};
[[nodiscard]] MemoryPlan plan_memory(const config::Pairing& pairing, ReplicaAddress self);

// Bytes of payload that the gateway's pool holds.
[[nodiscard]] std::size_t plan_pool(const config::Pairing& pairing, ReplicaAddress self);

}  // namespace mallard::cli
