#include "rsm/replica/peers/peer_channels.h"

#include <array>
#include <utility>

namespace mallard::rsm {

Result<std::unique_ptr<PeerChannels>, transport::ChannelProblem> PeerChannels::open(
    transport::ChannelSettings settings, const crypto::KeyPair& key, const Ports& ports) {
  settings.plane = transport::Plane::replicas;
  std::unique_ptr<PeerChannels> made(new PeerChannels(settings.self.cluster, ports));
  auto channels = transport::ChannelSet::open(settings, key, {ports.io, ports.pool, *made});
  if (!channels) {
    return Failure<transport::ChannelProblem>(channels.error());
  }
  made->channels_ = std::move(*channels);
  return made;
}

bool PeerChannels::send(memory::ProcessIndex to, const PeerMessage& message) {
  std::array<std::byte, peer_head_bytes_max> head{};
  const std::size_t bytes = encode_peer_message(message, head);
  const PayloadRef body = body_of(message);
  const transport::Lane lane = body.bytes > 0 ? transport::Lane::data : transport::Lane::control;
  return channels_->send({cluster_, ReplicaIndex(to.value)}, ByteView(head).first(bytes), body, lane);
}

// Who proved a key of the cluster and says what is no message runs another program than this.
void PeerChannels::on_frame(ReplicaAddress from, ByteView head, PayloadRef body) {
  const auto message = decode_peer_message(head, body);
  if (!message) {
    ++messages_refused_;
    ports_.pool.release(body);
    channels_->close(from, "it sent what is no message between replicas");
    return;
  }
  ports_.observer.on_peer_message(memory::ProcessIndex(from.replica.value), *message);
}

}  // namespace mallard::rsm
