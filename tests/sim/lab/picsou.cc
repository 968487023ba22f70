// Picsou as Mallard runs it: the real core and the real codec, in the production loop. The RSMs around it
// decide at once, apply at once and lose nothing; certificates are all good, and their checks take no time.
#include <algorithm>
#include <array>
#include <cstdint>
#include <variant>

#include "bridge/core/bridge_core.h"
#include "bridge/wire/frame_codec.h"
#include "config/base/invariant.h"
#include "config/base/limits.h"
#include "tests/sim/lab/participant.h"
#include "transport/driver/core_driver.h"

namespace mallard::lab {

namespace {

using bridge::BatchHeader;
using bridge::BridgeCore;

constexpr ClusterIndex source_cluster{0};
constexpr ClusterIndex destination_cluster{1};
constexpr LinkIndex link{0};
constexpr std::uint64_t delayed_batches = 256;
constexpr BatchNumber far_future{1ULL << 40};

// Time begins at 1 s: a stamp of 0 means none.
constexpr Duration epoch = Duration::seconds(1);

bridge::ClusterView view_of(ClusterIndex cluster, std::size_t n) {
  bridge::ClusterView view{.cluster = cluster, .u = RunShape::faults_of(n), .r = RunShape::faults_of(n)};
  for (std::size_t i = 0; i < n; ++i) {
    view.weights.push_back(1);
  }
  return view;
}

// The acknowledgements of a liar; all else is true.
struct Liar {
  const BridgeCore& core;
  Byzantine behaviour;
  bridge::AckReport told;

  Liar(const BridgeCore& its_core, Byzantine its_behaviour, LinkIndex its_link)
      : core(its_core), behaviour(its_behaviour), told(its_core.ack_of(its_link)) {
    const auto less = [](BatchNumber number) {
      return BatchNumber(number.value - std::min(number.value, delayed_batches));
    };
    told.phi_words = 0;
    switch (behaviour) {
      case Byzantine::ack_zero:
        told.prefix = told.durable = BatchNumber(0);
        break;
      case Byzantine::ack_infinite:
        told.prefix = told.durable = far_future;
        break;
      default:
        told.prefix = less(told.prefix);
        told.durable = less(told.durable);
    }
  }
  [[nodiscard]] const bridge::AckReport& ack_of(LinkIndex /*its_link*/) const { return told; }
  [[nodiscard]] bridge::PositionSection position_of(LinkIndex its_link) const {
    return core.position_of(its_link);
  }
};

class Picsou final : public Participant {
 public:
  explicit Picsou(const ParticipantSettings& settings)
      : shape_(settings.shape), self_(settings.self), driver_(*this, settings_of(settings)) {
    const std::size_t replica = address_of(self_).replica.value;
    if (in_source() ? shape_.source_misbehaves(replica) : shape_.destination_misbehaves(replica)) {
      behaviour_ = shape_.byzantine;
    }
  }

  void start(Turn& turn) override {
    turn_ = &turn;
    if (in_source()) {
      driver_.step(bridge::LogExtent{link, BatchNumber(1), BatchNumber(0), MessageNumber(0)}, time());
    }
    for (NodeId node = 0; node < shape_.from + shape_.to; ++node) {
      if (node != self_) {
        driver_.step(bridge::PeerUp{address_of(node)}, time());
      }
    }
  }

  [[nodiscard]] std::uint64_t next_batch() const override {
    return tapped_ && driver_.core().accepts_commit(link) ? next_ : 0;
  }
  void commit(std::uint64_t batch, Turn& turn) override {
    turn_ = &turn;
    next_ = batch + 1;
    driver_.step(
        bridge::BatchCommitted{.link = link, .header = header_of(batch), .payload = payload_of_batch()},
        time());
  }

  void receive(const Parcel& parcel, Turn& turn) override {
    turn_ = &turn;
    const auto frame =
        bridge::wire::decode_head(parcel.head, parcel.batch != 0 ? payload_of_batch() : PayloadRef{});
    MALLARD_INVARIANT(frame.has_value());
    driver_.step(bridge::FrameArrived{.from = address_of(parcel.from), .frame = *frame}, time());
  }
  void channel_down(NodeId peer, Turn& turn) override {
    turn_ = &turn;
    driver_.step(bridge::PeerDown{address_of(peer)}, time());
  }

  [[nodiscard]] Instant next_deadline() const override {
    const Instant next = driver_.next_deadline();
    return next == Instant::never() || next < Instant{} + epoch ? next : next - epoch;
  }
  void on_deadline(Turn& turn) override {
    turn_ = &turn;
    driver_.run_deadline(time());
  }

  // The shell of the driver.
  void carry_out(const bridge::Effect& effect, Instant /*now*/) {
    std::visit([this](const auto& order) { carry_out(order); }, effect);
  }
  bool next_event(bridge::Event& event) {
    if (checks_size_ > 0) {
      event = checks_[--checks_size_];
      return true;
    }
    if (loads_size_ > 0) {
      event = loads_[--loads_size_];
      return true;
    }
    if (applied_ > told_) {
      told_ = applied_;
      event = bridge::Applied{link, BatchNumber(applied_), header_of(applied_).last()};
      return true;
    }
    return false;
  }

 private:
  [[nodiscard]] bool in_source() const { return self_ < shape_.from; }
  [[nodiscard]] Instant time() const { return turn_->now() + epoch; }
  [[nodiscard]] ReplicaAddress address_of(NodeId node) const {
    const bool source = node < shape_.from;
    return {source ? source_cluster : destination_cluster,
            ReplicaIndex(static_cast<std::uint16_t>(source ? node : node - shape_.from))};
  }
  [[nodiscard]] NodeId node_of(ReplicaAddress address) const {
    return static_cast<NodeId>(address.replica.value + (address.cluster == source_cluster ? 0 : shape_.from));
  }
  [[nodiscard]] BatchHeader header_of(std::uint64_t batch) const {
    const std::uint16_t count = shape_.batch_messages();
    return {BatchNumber(batch), MessageNumber((batch - 1) * count + 1), count};
  }
  [[nodiscard]] PayloadRef payload_of_batch() const { return {1, shape_.batch_payload()}; }

  [[nodiscard]] bridge::BridgeSettings settings_of(const ParticipantSettings& settings) const {
    bridge::BridgeSettings bridge;
    bridge.self = address_of(self_);
    bridge.clusters.push_back(view_of(source_cluster, shape_.from));
    bridge.clusters.push_back(view_of(destination_cluster, shape_.to));
    bridge.seed = self_;
    bridge.ack_interval = shape_.ack_interval();
    bridge.rto_min = settings.rto_min;
    bridge::LinkSettings its_link{.link = link, .from = source_cluster, .to = destination_cluster};
    const std::uint64_t messages = settings.window_batches * shape_.batch_messages();
    its_link.window_messages =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(messages, window_batches_max));
    // The core keeps room for one batch of the largest size.
    its_link.window_bytes = settings.window_batches * shape_.batch_payload() + batch_bytes_max;
    bridge.links.push_back(its_link);
    return bridge;
  }

  void carry_out(const bridge::SendFrame& frame) {
    if (behaviour_ == Byzantine::silent) {
      return;
    }
    const bool lies = behaviour_ != Byzantine::none && !frame.acks.empty();
    const std::size_t used =
        lies ? bridge::wire::encode_head(frame, Liar(driver_.core(), behaviour_, link), head_)
             : bridge::wire::encode_head(frame, driver_.core(), head_);
    Parcel& parcel = turn_->send(node_of(frame.to));
    parcel.control = frame.lane == bridge::Lane::control;
    parcel.head.assign(head_.begin(), head_.begin() + static_cast<std::ptrdiff_t>(used));
    parcel.head_bytes = static_cast<std::uint32_t>(used);
    if (frame.has_batch) {
      parcel.batch = frame.batch.header.batch.value;
      parcel.payload = frame.batch.payload.bytes;
      parcel.resend = frame.batch.round > 0 || frame.batch.attempt > 0;
    }
  }
  void carry_out(const bridge::StartTap& order) {
    tapped_ = true;
    next_ = order.after.value + 1;
  }
  void carry_out(const bridge::CheckCertificate& order) {
    MALLARD_INVARIANT(checks_size_ < checks_.size());
    checks_[checks_size_++] = {order.link, order.check, true};
  }
  void carry_out(const bridge::Apply& order) {
    MALLARD_INVARIANT(order.header.batch.value == applied_ + 1);
    applied_ = order.header.batch.value;
    turn_->deliver(applied_);
  }
  void carry_out(const bridge::LoadBatch& order) {
    MALLARD_INVARIANT(loads_size_ < loads_.size());
    loads_[loads_size_++] = {.link = order.link,
                             .for_peer = order.for_peer,
                             .found = true,
                             .header = header_of(order.batch.value),
                             .payload = payload_of_batch()};
  }
  void carry_out(const bridge::Quacked& order) { turn_->quack(order.through.value); }
  void carry_out(const bridge::Release& /*order*/) {}
  void carry_out(const bridge::ClosePeer& order) { turn_->close(node_of(order.peer)); }

  const RunShape& shape_;
  NodeId self_;
  Byzantine behaviour_ = Byzantine::none;
  Turn* turn_ = nullptr;  // of the call that is under way
  bool tapped_ = false;
  std::uint64_t next_ = 1;
  std::uint64_t applied_ = 0;
  std::uint64_t told_ = 0;  // to the core
  std::array<bridge::CertificateChecked, bridge::effects_per_step_max> checks_{};
  std::size_t checks_size_ = 0;
  std::array<bridge::BatchLoaded, bridge::effects_per_step_max> loads_{};
  std::size_t loads_size_ = 0;
  std::array<std::byte, bridge::wire::frame_head_bytes_max> head_{};
  transport::CoreDriver<BridgeCore, Picsou> driver_;
};

}  // namespace

std::unique_ptr<Participant> make_picsou(const ParticipantSettings& settings) {
  return std::make_unique<Picsou>(settings);
}

std::unique_ptr<Participant> make_participant(const ParticipantSettings& settings) {
  switch (settings.shape.strategy) {
    case Strategy::all_to_all:
      return make_all_to_all(settings);
    case Strategy::one_shot:
      return make_one_shot(settings);
    case Strategy::leader_to_leader:
      return make_leader_to_leader(settings);
    case Strategy::leader_to_quorum:
      return make_leader_to_quorum(settings);
    case Strategy::picsou:
      break;
  }
  return make_picsou(settings);
}

}  // namespace mallard::lab
