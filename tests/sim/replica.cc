#include "tests/sim/replica.h"

#include "tests/sim/network.h"
#include "tests/sim/puppet.h"
#include "tests/sim/watchers.h"

namespace mallard::sim {
namespace {

bridge::BridgeSettings settings_of(const Stage& stage, Replica& replica, SimAttachment& attachment) {
  const SwarmOptions& options = stage.options;
  bridge::BridgeSettings settings;
  settings.self = replica.address;
  for (const ClusterOptions& cluster : options.clusters) {
    settings.clusters.push_back(cluster.view);
  }
  for (const LinkTruth& link : stage.links) {
    const LinkShape& shape = link.shape();
    const std::uint16_t own = replica.address.cluster.value;
    if (shape.from != own && shape.to != own) {
      continue;
    }
    bridge::LinkSettings wanted;
    wanted.link = shape.link;
    wanted.from = ClusterIndex(shape.from);
    wanted.to = ClusterIndex(shape.to);
    wanted.generation = shape.context.generation;
    wanted.fence = shape.fence;
    wanted.window_messages = shape.window_messages;
    wanted.window_bytes = shape.window_bytes;
    if (shape.to == own) {
      const bridge::AppliedCursor cursor = attachment.cursor(shape.link);
      wanted.cursor = cursor.batch;
      wanted.cursor_message = cursor.message;
      wanted.storage_lost = cursor.storage_lost;
    }
    settings.links.push_back(wanted);
  }
  settings.seed = replica.lives * 1000 + replica.id;
  settings.ack_interval = options.ack_interval;
  settings.rto_min = options.rto_min;
  settings.round_backoff_max = options.round_backoff_max;
  settings.heartbeat_interval = options.heartbeat_interval;
  settings.pull_delay = options.pull_delay;
  return settings;
}

}  // namespace

bool CarrierPort::send(ReplicaAddress to, ByteView head, PayloadRef body, bridge::Lane lane) {
  const PortScope scope(stage_);
  Replica* peer = network_.find(to);
  if (peer == nullptr) {
    return false;
  }
  const ByteView bytes = replica_.life->pool.view(body);
  return replica_.puppet
             ? replica_.puppet->send(*peer, head, bytes, lane)
             : network_.send(replica_, *peer, {.head = head, .body = bytes, .held = body, .lane = lane});
}

void CarrierPort::close(ReplicaAddress peer, const char*) {
  const PortScope scope(stage_);
  const Replica* other = network_.find(peer);
  if (other != nullptr) {
    stage_.marks.hit(Mark::peer_closed);
    if (!replica_.byzantine && !other->byzantine) {
      stage_.fail("correct_peers_kept", "a correct gateway closed the channel of another correct one");
    }
    network_.close(replica_, *other);
  }
}

void EffectPort::on_effect(const bridge::Effect& effect, Instant) {
  const PortScope scope(stage_);
  watchers_.tell(&Checker::on_effect, replica_, effect);
}

Life::Life(Stage& stage, Watchers& watchers, Network& network, Replica& replica)
    : pool(stage.options.pool_bytes),
      attachment(stage, watchers, replica, pool),
      certificates(stage, watchers, replica, pool),
      carrier(stage, network, replica),
      effects(stage, watchers, replica),
      gateway(std::make_unique<bridge::Gateway>(settings_of(stage, replica, attachment),
                                                bridge::Gateway::Ports{.carrier = carrier,
                                                                       .attachment = attachment,
                                                                       .certificates = certificates,
                                                                       .pool = pool,
                                                                       .observer = &effects})) {}

Replica::Replica() = default;
Replica::Replica(Replica&&) noexcept = default;
Replica::~Replica() = default;

}  // namespace mallard::sim
