// Between a gateway and its two sets of channels: one to other clusters, one inside its own.
#pragma once

#include <string_view>

#include "bridge/gateway/frame_carrier.h"
#include "bridge/gateway/gateway.h"
#include "config/base/ids.h"
#include "transport/channel/channel_observer.h"
#include "transport/channel/channel_set.h"
#include "transport/driver/event_loop.h"

namespace mallard::cli {

// The gateway's carrier. The sets, either of which may be absent, are told later, since each needs the other
// side first.
class ChannelCarrier final : public bridge::FrameCarrier {
 public:
  explicit ChannelCarrier(ClusterIndex own) : own_(own) {}
  void connect(transport::ChannelSet* bridge, transport::ChannelSet* local) {
    bridge_ = bridge;
    local_ = local;
  }

  bool send(ReplicaAddress to, ByteView head, PayloadRef body, bridge::Lane lane) override {
    transport::ChannelSet* set = set_of(to);
    const auto its_lane = lane == bridge::Lane::data ? transport::Lane::data : transport::Lane::control;
    return set != nullptr && set->send(to, head, body, its_lane);
  }
  void close(ReplicaAddress peer, const char* reason) override {
    if (transport::ChannelSet* set = set_of(peer)) {
      set->close(peer, reason);
    }
  }

 private:
  [[nodiscard]] transport::ChannelSet* set_of(ReplicaAddress peer) const {
    return peer.cluster == own_ ? local_ : bridge_;
  }

  ClusterIndex own_;
  transport::ChannelSet* bridge_ = nullptr;
  transport::ChannelSet* local_ = nullptr;
};

// What the channels tell, told to the gateway. Nothing can be told before the loop runs; the gateway is there
// by then.
class GatewayFeed final : public transport::ChannelObserver {
 public:
  void connect(bridge::Gateway* gateway) { gateway_ = gateway; }

  void on_peer_up(ReplicaAddress peer, Incarnation) override {
    gateway_->on_peer_up(peer, transport::EventLoop::now());
  }
  void on_peer_down(ReplicaAddress peer, transport::CloseReason) override {
    gateway_->on_peer_down(peer, transport::EventLoop::now());
  }
  void on_frame(ReplicaAddress from, ByteView head, PayloadRef body) override {
    gateway_->on_frame(from, head, body, transport::EventLoop::now());
  }

 private:
  bridge::Gateway* gateway_ = nullptr;
};

}  // namespace mallard::cli
