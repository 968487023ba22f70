// Gateways with real cores, joined by memory instead of sockets, beside RSMs that are vectors. Time is a
// number.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/gateway/accept_all.h"
#include "bridge/gateway/gateway.h"
#include "bridge/gateway/load_queue.h"
#include "config/base/payload_pool.h"

namespace mallard::bridge {

inline constexpr LinkIndex world_link{0};

// An RSM in memory. Batch n of its log has one message, whose bytes are `log[n - 1]`.
class MemoryAttachment final : public Attachment {
 public:
  explicit MemoryAttachment(PayloadPool& pool) : pool_(pool) {}

  void tap_from(LinkIndex, BatchNumber after) override { tapped_ = after.value; }
  std::optional<StoredBatch> tap_next(LinkIndex) override {
    if (tapped_ >= log.size()) {
      return std::nullopt;
    }
    ++tapped_;
    return stored(log[tapped_ - 1], tapped_);
  }
  LogExtent extent(LinkIndex link) override {
    return {.link = link,
            .oldest_readable = BatchNumber(1),
            .newest = BatchNumber(log.size()),
            .newest_message = MessageNumber(log.size())};
  }
  AppliedCursor cursor(LinkIndex) override {
    return {.batch = BatchNumber(delivered.size()), .message = MessageNumber(delivered.size())};
  }
  void apply(const Apply& order) override {
    delivered.emplace_back();
    for (const std::byte byte : pool_.view(order.payload)) {
      delivered.back().push_back(static_cast<char>(byte));
    }
    applied_.push_back(
        {.link = order.context.link, .cursor = order.header.batch, .cursor_message = order.header.last()});
  }
  void load(const LoadBatch& order) override { orders_.push(order); }
  std::optional<BatchLoaded> poll_loaded() override {
    if (holds_loads) {
      return std::nullopt;
    }
    const std::optional<LoadBatch> order = orders_.pop();
    if (!order) {
      return std::nullopt;
    }
    ++loads;
    const std::uint64_t batch = order->batch.value;
    return answer_to(*order, batch > delivered.size() ? std::nullopt : stored(delivered[batch - 1], batch));
  }
  std::optional<Applied> poll() override {
    if (applied_.empty()) {
      return std::nullopt;
    }
    const Applied applied = applied_.front();
    applied_.pop_front();
    return applied;
  }

  [[nodiscard]] std::uint64_t tapped() const { return tapped_; }

  std::vector<std::string> log;
  std::vector<std::string> delivered;
  int loads = 0;
  bool holds_loads = false;  // answers none for now

 private:
  std::optional<StoredBatch> stored(const std::string& bytes, std::uint64_t number) {
    const auto slot = pool_.allocate(bytes.size());
    if (!slot) {
      return std::nullopt;
    }
    ByteWriter(pool_.span(*slot)).write_bytes(std::as_bytes(std::span(bytes)));
    return StoredBatch{.header = {.batch = BatchNumber(number), .first = MessageNumber(number), .count = 1},
                       .payload = *slot};
  }

  PayloadPool& pool_;
  std::uint64_t tapped_ = 0;
  std::deque<Applied> applied_;
  LoadQueue orders_;
};

// Keeps what was sent until the world carries it over.
class MemoryCarrier final : public FrameCarrier {
 public:
  struct Sent {
    ReplicaAddress to;
    std::vector<std::byte> head;
    PayloadRef body;
    Lane lane = Lane::control;
  };

  explicit MemoryCarrier(PayloadPool& pool) : pool_(pool) {}

  bool send(ReplicaAddress to, ByteView head, PayloadRef body, Lane lane) override {
    if (refuses) {
      return false;
    }
    pool_.retain(body);
    sent.push_back({to, {head.begin(), head.end()}, body, lane});
    return true;
  }
  void close(ReplicaAddress peer, const char* reason) override { closed[peer] = reason; }

  std::deque<Sent> sent;
  std::map<ReplicaAddress, std::string> closed;
  bool refuses = false;

 private:
  PayloadPool& pool_;
};

struct MemoryNode {
  MemoryNode(const BridgeSettings& settings, GatewayObserver* observer)
      : pool(32U << 20),
        attachment(pool),
        carrier(pool),
        gateway(settings, {.carrier = carrier,
                           .attachment = attachment,
                           .certificates = certificates,
                           .pool = pool,
                           .observer = observer}) {}

  PayloadPool pool;
  MemoryAttachment attachment;
  MemoryCarrier carrier;
  AcceptAll certificates;
  Gateway gateway;
};

// One source cluster (0) and one destination cluster (1), no faults tolerated, one link.
class MemoryWorld {
 public:
  MemoryWorld(std::uint16_t sources, std::uint16_t destinations, GatewayObserver* observer = nullptr) {
    const std::uint16_t sizes[] = {sources, destinations};
    for (std::uint16_t cluster = 0; cluster < 2; ++cluster) {
      for (std::uint16_t replica = 0; replica < sizes[cluster]; ++replica) {
        const ReplicaAddress self{ClusterIndex(cluster), ReplicaIndex(replica)};
        nodes_.emplace(self, std::make_unique<MemoryNode>(settings(self, sources, destinations), observer));
      }
    }
  }

  [[nodiscard]] MemoryNode& source(std::uint16_t replica = 0) {
    return node({ClusterIndex(0), ReplicaIndex(replica)});
  }
  [[nodiscard]] MemoryNode& destination(std::uint16_t replica = 0) {
    return node({ClusterIndex(1), ReplicaIndex(replica)});
  }
  [[nodiscard]] MemoryNode& node(ReplicaAddress address) { return *nodes_.at(address); }
  [[nodiscard]] Instant now() const { return now_; }

  // The replica comes back with nothing, and says so, to whoever connects to it.
  void lose_storage(ReplicaAddress address) {
    BridgeSettings fresh = settings(address, size_of(ClusterIndex(0)), size_of(ClusterIndex(1)));
    fresh.links[0].storage_lost = true;
    for (const auto& [other, node] : nodes_) {
      if (other != address) {
        node->gateway.on_peer_down(address, now_);
      }
    }
    nodes_[address] = std::make_unique<MemoryNode>(fresh, nullptr);
  }

  void connect(ReplicaAddress a, ReplicaAddress b) {
    node(a).gateway.on_peer_up(b, now_);
    node(b).gateway.on_peer_up(a, now_);
  }
  void connect_all() {
    for (const auto& [a, unused_a] : nodes_) {
      for (const auto& [b, unused_b] : nodes_) {
        if (a < b) {
          connect(a, b);
        }
      }
    }
  }

  // Everyone's turns and frames, a millisecond at a time.
  void run(Duration span) {
    for (const Instant end = now_ + span; now_ < end; now_ = now_ + Duration::milliseconds(1)) {
      for (const auto& [address, node] : nodes_) {
        node->gateway.turn(now_);
      }
      for (const auto& [address, node] : nodes_) {
        while (!node->carrier.sent.empty()) {
          deliver(address, *node);
        }
      }
    }
  }

 private:
  static BridgeSettings settings(ReplicaAddress self, std::uint16_t sources, std::uint16_t destinations) {
    BridgeSettings settings;
    settings.self = self;
    const std::uint16_t sizes[] = {sources, destinations};
    for (std::uint16_t cluster = 0; cluster < 2; ++cluster) {
      ClusterView view;
      view.cluster = ClusterIndex(cluster);
      for (std::uint16_t replica = 0; replica < sizes[cluster]; ++replica) {
        view.weights.push_back(1);
      }
      settings.clusters.push_back(view);
    }
    LinkSettings link;
    link.link = world_link;
    link.from = ClusterIndex(0);
    link.to = ClusterIndex(1);
    link.window_messages = 256;
    link.window_bytes = 4U << 20;
    settings.links.push_back(link);
    return settings;
  }

  [[nodiscard]] std::uint16_t size_of(ClusterIndex cluster) const {
    return static_cast<std::uint16_t>(std::ranges::count_if(
        nodes_, [cluster](const auto& entry) { return entry.first.cluster == cluster; }));
  }

  void deliver(ReplicaAddress from, MemoryNode& sender) {
    const MemoryCarrier::Sent sent = sender.carrier.sent.front();
    sender.carrier.sent.pop_front();
    MemoryNode& receiver = node(sent.to);
    PayloadRef body{};
    if (sent.body.bytes > 0) {
      body = *receiver.pool.allocate(sent.body.bytes);
      ByteWriter(receiver.pool.span(body)).write_bytes(sender.pool.view(sent.body));
    }
    sender.pool.release(sent.body);
    receiver.gateway.on_frame(from, sent.head, body, now_);
  }

  std::map<ReplicaAddress, std::unique_ptr<MemoryNode>> nodes_;
  Instant now_{1'000'000};
};

}  // namespace mallard::bridge
