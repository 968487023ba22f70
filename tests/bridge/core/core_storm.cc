#include "tests/bridge/core/core_storm.h"

#include <fmt/format.h>

#include <algorithm>

namespace mallard::bridge {

namespace {

constexpr ClusterIndex east{0};
constexpr ClusterIndex west{1};
constexpr LinkIndex incoming{0};
constexpr LinkIndex outgoing{1};

BridgeSettings settings_of(Prng& random) {
  BridgeSettings settings;
  settings.self = {west, ReplicaIndex(0)};
  settings.seed = random.next();
  for (const ClusterIndex cluster : {east, west}) {
    ClusterView view{.cluster = cluster, .u = 1, .r = 1};
    for (int i = 0; i < 4; ++i) {
      view.weights.push_back(1);
    }
    settings.clusters.push_back(view);
  }
  const auto window = static_cast<std::uint32_t>(random.between(1, 300));
  LinkSettings link{.link = incoming, .from = east, .to = west, .window_messages = window};
  link.window_bytes = random.between(batch_bytes_max, 2 * batch_bytes_max);
  link.storage_lost = random.below(4) == 0;
  settings.links.push_back(link);
  link.link = outgoing;
  std::swap(link.from, link.to);
  settings.links.push_back(link);
  settings.rto_min = Duration::milliseconds(20);
  return settings;
}

}  // namespace

CoreStorm::CoreStorm(std::uint64_t seed) : random_(seed) {
  core_ = std::make_unique<BridgeCore>(settings_of(random_));
}

void CoreStorm::rage(int events) {
  for (int event = 0; event < events && faults_.empty(); ++event) {
    now_ = now_ + Duration::microseconds(static_cast<std::int64_t>(random_.below(1'500)));
    serve_deadlines();
    switch (random_.below(16)) {
      case 0:
        flip_channel();
        break;
      case 1:
        log_newest_ += random_.below(6);
        step(LogExtent{outgoing, BatchNumber(1), BatchNumber(log_newest_), MessageNumber(log_newest_)});
        break;
      case 2:
      case 3:
      case 4:
        commit();
        break;
      case 5:
      case 6:
        answer_check();
        break;
      case 7:
        apply_some();
        break;
      case 8:
        answer_load();
        break;
      case 9:
      case 10:
        receive_plausible_ack();
        break;
      case 11:
        receive_anything();
        break;
      default:
        receive_plausible_batch();
        break;
    }
  }
}

void CoreStorm::calm_down() {
  while (!checks_.empty()) answer_check();
  while (!loads_.empty()) answer_load();
  for (const Peer& peer : core_->peers().all()) {
    if (!peer.up) step(PeerUp{peer.address});
  }
  const std::uint64_t sent = core_->outbound(outgoing)->admitted().value;
  for (std::uint16_t i = 0; i < 4; ++i) {
    FrameArrived event = frame_from({east, ReplicaIndex(i)});
    event.frame.stamp = Stamp(stamp_max);
    event.frame.acks.push_back(
        {.context = context(outgoing), .prefix = BatchNumber(sent), .durable = BatchNumber(sent)});
    step(event);
  }
  for (const Peer& peer : core_->peers().all()) step(PeerDown{peer.address});
  applies_.clear();
  submitted_ += 10'000;
  submitted_message_ += 10'000;
  step(Applied{incoming, BatchNumber(submitted_), MessageNumber(submitted_message_)});
  serve_deadlines();
}

void CoreStorm::flip_channel() {
  const ReplicaAddress address = any_peer();
  if (core_->peers().is_up(address)) {
    step(PeerDown{address});
  } else {
    step(PeerUp{address});
  }
}

void CoreStorm::commit() {
  if (tap_next_ == 0 || !core_->accepts_commit(outgoing)) return;
  log_newest_ = std::max(log_newest_, tap_next_);
  const std::uint64_t batch = tap_next_++;
  step(BatchCommitted{
      .link = outgoing, .header = {BatchNumber(batch), MessageNumber(batch), 1}, .payload = payload()});
}

void CoreStorm::answer_check() {
  if (checks_.empty()) return;
  std::swap(checks_.back(), checks_[random_.below(checks_.size())]);
  CertificateChecked answer = checks_.back();
  checks_.pop_back();
  answer.valid = random_.below(10) != 0;
  step(answer);
}

// Mostly what was ordered, in order; at times the RSM has got ahead by other means.
void CoreStorm::apply_some() {
  if (random_.below(200) == 0) {
    applies_.clear();
    submitted_ += random_.below(400);
    submitted_message_ = submitted_;
    step(Applied{incoming, BatchNumber(submitted_), MessageNumber(submitted_message_)});
    return;
  }
  if (applies_.empty()) return;
  const std::uint64_t count = random_.between(1, applies_.size());
  const Apply last = applies_[count - 1];
  applies_.erase(applies_.begin(), applies_.begin() + static_cast<std::ptrdiff_t>(count));
  applied_ += count;
  step(Applied{incoming, last.header.batch, last.header.last()});
}

void CoreStorm::answer_load() {
  if (loads_.empty()) return;
  BatchLoaded event{.link = incoming, .for_peer = loads_.front().for_peer, .found = random_.below(3) != 0};
  event.header = {loads_.front().batch, MessageNumber(1), 1};
  loads_.pop_front();
  if (event.found) event.payload = payload();
  step(event);
}

// Nobody correct would say it: any numbers, any context, any sections.
void CoreStorm::receive_anything() {
  FrameArrived event = frame_from(any_peer());
  Frame& frame = event.frame;
  if (random_.below(4) == 0) frame.echo = Stamp(random_.below(stamp_max));
  if (random_.below(8) == 0) frame.stamp = Stamp(frame.stamp.value + random_.below(1'000'000));
  const auto any_context = [&] {
    LinkContext any = context(LinkIndex(static_cast<std::uint16_t>(random_.below(3))));
    any.generation.value += random_.below(8) == 0 ? 1U : 0U;
    return any;
  };
  const std::uint64_t cursor = core_->inbound(incoming)->cursor().value;
  if (random_.below(2) == 0) {
    frame.has_batch = true;
    frame.batch.context = any_context();
    frame.batch.header = {BatchNumber(number_near(cursor)), MessageNumber(number_near(cursor)),
                          static_cast<std::uint16_t>(random_.between(1, batch_messages_max))};
    frame.batch.quacked = BatchNumber(number_near(cursor));
    frame.batch.payload = payload();
  }
  while (!frame.positions.full() && random_.below(3) == 0) {
    frame.positions.push_back({any_context(), BatchNumber(number_near(cursor)),
                               BatchNumber(number_near(cursor)), MessageNumber(random_.next())});
  }
  phi_bytes_.assign(8 * random_.below(phi_bits_max / 64 + 1), static_cast<std::byte>(random_.next()));
  while (!frame.acks.full() && random_.below(3) == 0) {
    const std::uint64_t prefix = number_near(cursor);
    frame.acks.push_back({any_context(), BatchNumber(prefix),
                          BatchNumber(random_.below(4) == 0 ? number_near(prefix) : 0), PhiList(phi_bytes_)});
  }
  frame.has_pull = random_.below(3) == 0;
  frame.pull.context = any_context();
  while (!frame.pull.batches.full() && random_.below(20) != 0) {
    frame.pull.batches.push_back(BatchNumber(number_near(cursor)));
  }
  step(event);
}

void CoreStorm::receive_plausible_batch() {
  const std::uint64_t batch = core_->inbound(incoming)->cursor().value + random_.between(1, 12);
  FrameArrived event = frame_from(any_peer());
  event.frame.has_batch = true;
  event.frame.batch.context = context(incoming);
  event.frame.batch.header = {BatchNumber(batch), MessageNumber(batch), 1};
  event.frame.batch.payload = payload();
  event.frame.wants_ack = true;
  step(event);
}

void CoreStorm::receive_plausible_ack() {
  const ReplicaAddress from = any_peer();
  const bool own = from.cluster == west;
  const std::uint64_t top = own ? core_->inbound(incoming)->prefix().value + 3 : tap_next_;
  const std::uint64_t prefix = top - std::min(top, random_.below(6));
  FrameArrived event = frame_from(from);
  event.frame.acks.push_back({.context = context(own ? incoming : outgoing),
                              .prefix = BatchNumber(prefix),
                              .durable = BatchNumber(prefix - std::min(prefix, random_.below(4)))});
  step(event);
}

void CoreStorm::step(const Event& event) {
  effects_->clear();
  core_->step(event, now_, *effects_);
  judge();
}

void CoreStorm::serve_deadlines() {
  for (int turn = 0; core_->next_deadline() <= now_; ++turn) {
    if (turn == 10'000) {
      fault("it asks for deadlines without end, at ns", static_cast<std::uint64_t>(now_.ns));
      return;
    }
    effects_->clear();
    core_->on_deadline(now_, *effects_);
    judge();
  }
}

void CoreStorm::judge() {
  for (const Effect& effect : *effects_) {
    digest_ = Prng(digest_).child("effect", effect.index()).next();
    std::visit([&](const auto& ordered) { judge(ordered); }, effect);
  }
}

void CoreStorm::judge(const SendFrame& frame) {
  if (!core_->peers().is_up(frame.to)) fault("it sent to a closed channel, replica", frame.to.replica.value);
  if (frame.has_batch && owners_[frame.batch.payload.slot] <= 0) {
    fault("it sent a payload that it does not own, batch", frame.batch.header.batch.value);
  }
  if (frame.has_pull && (frame.to.cluster != west || frame.pull.batches.empty())) {
    fault("it pulled nothing, or from the other cluster, replica", frame.to.replica.value);
  }
  for (const LinkIndex link : frame.acks) {
    const AckReport& ack = core_->ack_of(link);
    if (ack.durable > ack.prefix || (ack.phi_words > 0 && (ack.phi[0] & 1U) != 0)) {
      fault("it reported nonsense, prefix", ack.prefix.value);
    }
  }
  digest_ += frame.stamp.value + 3 * frame.to.replica.value + 7 * frame.batch.header.batch.value;
}

void CoreStorm::judge(const StartTap& effect) {
  if (effect.after.value + 1 < tap_next_) fault("it moved the tap back to", effect.after.value);
  tap_next_ = effect.after.value + 1;
}

void CoreStorm::judge(const CheckCertificate& effect) {
  if (owners_[effect.payload.slot] <= 0) fault("it checks a payload that it does not own", effect.check);
  checks_.push_back({effect.link, effect.check, true});
}

void CoreStorm::judge(const Apply& effect) {
  const bool continues =
      effect.header.batch.value == submitted_ + 1 && effect.header.first.value == submitted_message_ + 1;
  if (!continues) fault("it applies out of order, batch", effect.header.batch.value);
  if (owners_[effect.payload.slot] <= 0) fault("it applies what it does not own", effect.header.batch.value);
  submitted_ = effect.header.batch.value;
  submitted_message_ = effect.header.last().value;
  applies_.push_back(effect);
}

void CoreStorm::judge(const LoadBatch& effect) {
  if (effect.batch.value == 0 || effect.batch > core_->inbound(incoming)->cursor()) {
    fault("it loads what was not applied, batch", effect.batch.value);
  }
  loads_.push_back({effect.batch, effect.for_peer});
}

void CoreStorm::judge(const Quacked& effect) {
  if (effect.through.value < quacked_) fault("the QUACK went back to", effect.through.value);
  if (effect.through.value > log_newest_) fault("it QUACKed what was not committed", effect.through.value);
  quacked_ = effect.through.value;
}

void CoreStorm::judge(const Release& effect) {
  if (--owners_[effect.payload.slot] < 0) fault("it released twice, slot", effect.payload.slot);
}

void CoreStorm::judge(const ClosePeer& effect) {
  if (effect.reason[0] == '\0') fault("it closed without a reason, replica", effect.peer.replica.value);
}

std::uint64_t CoreStorm::number_near(std::uint64_t centre) {
  switch (random_.below(12)) {
    case 0:
      return random_.next();
    case 1:
      return 0;
    case 2:
      return UINT64_MAX - random_.below(3);
    default:
      return centre + random_.below(700) - std::min<std::uint64_t>(centre, 350);
  }
}

LinkContext CoreStorm::context(LinkIndex link) const { return {link, Generation(1), Epoch(1), Epoch(1)}; }

FrameArrived CoreStorm::frame_from(ReplicaAddress peer) {
  FrameArrived event{.from = peer};
  event.frame.stamp = stamp_at(now_);
  event.frame.echo = core_->peers().find(peer)->issued;
  event.frame.wants_ack = random_.below(2) == 0;
  return event;
}

ReplicaAddress CoreStorm::any_peer() {
  const auto peers = core_->peers().all();
  return peers[random_.below(peers.size())].address;
}

PayloadRef CoreStorm::payload() {
  owners_.push_back(1);
  const std::uint64_t bytes = random_.below(50) == 0 ? batch_bytes_max : random_.between(1, 30'000);
  return {static_cast<std::uint32_t>(owners_.size() - 1), static_cast<std::uint32_t>(bytes)};
}

std::size_t CoreStorm::payloads_owned() const {
  return static_cast<std::size_t>(std::count_if(owners_.begin(), owners_.end(), [](int n) { return n > 0; }));
}

void CoreStorm::fault(const char* what, std::uint64_t number) {
  faults_ += fmt::format("{} {}\n", what, number);
}

}  // namespace mallard::bridge
