// Messages between the replicas of one cluster over authenticated channels.
#pragma once

#include <cstdint>
#include <memory>

#include "rsm/replica/peer_message.h"
#include "transport/channel/channel_observer.h"
#include "transport/channel/channel_set.h"

namespace mallard::rsm {

class PeerObserver {
 public:
  virtual ~PeerObserver() = default;
  // One reference to the message's body is the observer's to release. Every call into the channels is
  // allowed.
  virtual void on_peer_message(memory::ProcessIndex from, const PeerMessage& message) = 0;
  // From now on it hears what is sent, until it has gone again.
  virtual void on_peer_up(memory::ProcessIndex peer) = 0;
};

// On the thread that runs the io_context.
class PeerChannels final : public PeerPort, private transport::ChannelObserver {
 public:
  // All outlive the channels. Bodies are of the pool.
  struct Ports {
    asio::io_context& io;
    PayloadPool& pool;
    PeerObserver& observer;
  };
  // `settings`: own address and those of the other replicas of the cluster, with the public keys of their
  // `replica` identities and where they listen for each other. The plane is filled in. `key`: the secret of
  // own `replica` identity.
  [[nodiscard]] static Result<std::unique_ptr<PeerChannels>, transport::ChannelProblem> open(
      transport::ChannelSettings settings, const crypto::KeyPair& key, const Ports& ports);
  PeerChannels(const PeerChannels&) = delete;
  PeerChannels& operator=(const PeerChannels&) = delete;

  bool send(memory::ProcessIndex to, const PeerMessage& message) override;

  // For status and metrics.
  [[nodiscard]] const transport::ChannelSet& channels() const { return *channels_; }
  [[nodiscard]] std::uint64_t messages_refused() const { return messages_refused_; }  // no message at all

 private:
  PeerChannels(ClusterIndex cluster, const Ports& ports) : cluster_(cluster), ports_(ports) {}
  void on_peer_up(ReplicaAddress peer, Incarnation /*incarnation*/) override {
    ports_.observer.on_peer_up(memory::ProcessIndex(peer.replica.value));
  }
  void on_peer_down(ReplicaAddress /*peer*/, transport::CloseReason /*reason*/) override {}
  void on_frame(ReplicaAddress from, ByteView head, PayloadRef body) override;

  ClusterIndex cluster_;
  Ports ports_;
  std::uint64_t messages_refused_ = 0;
  std::unique_ptr<transport::ChannelSet> channels_;
};

}  // namespace mallard::rsm
