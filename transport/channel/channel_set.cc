#include "transport/channel/channel_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "transport/channel/peer_table.h"

namespace mallard::transport {
namespace {

bool lane_good(const LaneLimits& lane) {
  return lane.frames >= 1 && lane.head_bytes >= frame_head_bytes_max && lane.body_bytes >= 1;
}

bool in_range(ReplicaAddress address) {
  return address.cluster.value < clusters_max && address.replica.value < replicas_max;
}

// What makes the settings unusable, if anything does.
std::optional<std::string> contradiction(const ChannelSettings& settings) {
  if (settings.incarnation.value == 0) {
    return "the incarnation is 0";
  }
  if (settings.versions.min < 1 || settings.versions.min > settings.versions.max) {
    return "the range of wire versions is empty";
  }
  if (!lane_good(settings.limits.data) || !lane_good(settings.limits.control)) {
    return "a lane is too small for one frame";
  }
  if (!in_range(settings.self)) {
    return "the own address is out of range";
  }
  for (auto peer = settings.peers.begin(); peer != settings.peers.end(); ++peer) {
    const bool repeated = std::any_of(settings.peers.begin(), peer, [&](const PeerIdentity& other) {
      return other.address == peer->address || other.key == peer->key;
    });
    if (repeated || peer->address == settings.self || !in_range(peer->address)) {
      return fmt::format("peer {}.{} has an address or a key that another one has, or is out of range",
                         peer->address.cluster.value, peer->address.replica.value);
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<ChannelSet>, ChannelProblem> ChannelSet::open(const ChannelSettings& settings,
                                                                     const crypto::KeyPair& key,
                                                                     const Ports& ports) {
  if (auto problem = contradiction(settings)) {
    return Failure<ChannelProblem>({*problem, "correct the pairing's YAML file"});
  }
  std::shared_ptr<PeerTable> table;
  try {
    table = std::make_shared<PeerTable>(settings, key, ports);
  } catch (const std::runtime_error& error) {
    return Failure<ChannelProblem>({error.what(), "check the OpenSSL installation and its configuration"});
  }
  if (const std::error_code error = table->listen()) {
    table->stop();
    return Failure<ChannelProblem>({fmt::format("cannot listen on {} port {}: {}", settings.listen_host,
                                                settings.listen_port, error.message()),
                                    "free the port, or choose another one in the YAML file"});
  }
  table->start();
  return std::unique_ptr<ChannelSet>(new ChannelSet(std::move(table)));
}

ChannelSet::ChannelSet(std::shared_ptr<PeerTable> table) : table_(std::move(table)) {}
ChannelSet::~ChannelSet() { table_->stop(); }

bool ChannelSet::send(ReplicaAddress to, ByteView head, PayloadRef body, Lane lane) {
  return table_->send(to, head, body, lane);
}
void ChannelSet::flush() { table_->flush(); }
void ChannelSet::close(ReplicaAddress peer, std::string_view reason) { table_->close(peer, reason); }
void ChannelSet::resume_reads() { table_->resume_reads(); }

std::uint16_t ChannelSet::listening_port() const { return table_->listening_port(); }
std::size_t ChannelSet::peers() const { return table_->peers(); }
PeerStatus ChannelSet::status(std::size_t index) const { return table_->status(index); }
const PeerCounters& ChannelSet::counters(std::size_t index) const { return table_->counters(index); }
const AcceptCounters& ChannelSet::accept_counters() const { return table_->accept_counters(); }

}  // namespace mallard::transport
