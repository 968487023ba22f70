#include "bridge/core/outbound_link.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "bridge/core/quorum.h"
#include "config/base/invariant.h"
#include "config/base/prng.h"

namespace mallard::bridge {

namespace {

constexpr Duration probe_interval_max = Duration::seconds(1);
// Room that a step leaves for what follows in the same step.
constexpr std::size_t effects_reserve = 8;

}  // namespace

OutboundLink::OutboundLink(const BridgeSettings& bridge, const LinkSettings& link)
    : context_{link.link, link.generation, bridge.clusters[link.from.value].epoch,
               bridge.clusters[link.to.value].epoch},
      self_(bridge.self),
      to_(bridge.clusters[link.to.value]),
      walk_(bridge.clusters[link.from.value], to_),
      seed_(bridge.seed),
      ack_interval_(bridge.ack_interval),
      rto_min_(bridge.rto_min),
      round_backoff_max_(bridge.round_backoff_max),
      window_messages_(link.window_messages),
      window_bytes_(link.window_bytes),
      slots_(std::bit_ceil(static_cast<std::size_t>(link.window_messages))),
      reports_(to_.size()),
      rto_(bridge.rto_min),
      probe_interval_(bridge.rto_min) {}

bool OutboundLink::accepts_commit() const {
  if (state_ != OutboundState::active || admitted_ - released_ >= slots_.size()) {
    return false;
  }
  return messages_ < window_messages_ && (bytes_ == 0 || bytes_ + batch_bytes_max <= window_bytes_);
}

void OutboundLink::admit(const BatchCommitted& event, PeerTable& peers, Instant now, Effects& effects) {
  const std::uint64_t batch = event.header.batch.value;
  if (batch <= admitted_ || state_ != OutboundState::active) {
    effects.push_back(Release{event.payload});
    return;
  }
  MALLARD_INVARIANT(batch == admitted_ + 1);
  MALLARD_INVARIANT(admitted_ - released_ < slots_.size());
  slot(batch) =
      Slot{.header = event.header, .payload = event.payload, .proof_bytes = event.proof_bytes, .since = now};
  if (admitted_ == quacked_) {
    probe_interval_ = rto_ / 4;
  }
  admitted_ = batch;
  if (batch > newest_) {
    newest_ = batch;
    newest_message_ = event.header.last();
  }
  messages_ += event.header.count;
  bytes_ += event.payload.bytes;
  ++counters_.batches_admitted;
  counters_.messages_admitted += event.header.count;
  counters_.bytes_admitted += event.payload.bytes;
  if (batch == quacked_ + 1) {
    quacked_message_ = MessageNumber(event.header.first.value - 1);
  }
  advance_quack(effects);
  if (batch > quacked_ && weight_of(received_mask(batch), to_.weights) < to_.truth_threshold()) {
    send_if_mine(batch, peers, effects, now);
  }
  release_quacked(effects);
}

void OutboundLink::log_extends(const LogExtent& extent, Effects& effects) {
  if (extent.newest.value > newest_) {
    newest_ = extent.newest.value;
    newest_message_ = extent.newest_message;
  }
  oldest_readable_ = std::max(oldest_readable_, extent.oldest_readable.value);
  log_known_ = true;
  if (state_ == OutboundState::active && admitted_ + 1 < oldest_readable_ && admitted_ < newest_) {
    state_ = OutboundState::needs_snapshot;
  }
  if (state_ == OutboundState::learning) {
    learn(effects);
  } else {
    advance_quack(effects);
  }
}

void OutboundLink::report(const HeardAck& heard, PeerTable& peers, Effects& effects, Instant now) {
  reports_[heard.from.value].update(heard.ack);
  if (heard.ack.prefix.value > std::max(admitted_, newest_)) {
    ++counters_.acks_ahead;
  }
  update_rto(peers);
  if (state_ == OutboundState::learning) {
    learn(effects);
    return;
  }
  advance_quack(effects);
  if (heard.echo.value != 0) {
    count_complaints(heard.from, heard.echo, peers, effects, now);
  }
  release_quacked(effects);
}

void OutboundLink::peer_down(ReplicaIndex replica) { reports_[replica.value].session_ended(); }

void OutboundLink::learn(Effects& effects) {
  Weight heard = 0;
  for (std::size_t i = 0; i < reports_.size(); ++i) {
    heard += reports_[i].heard() ? to_.weights[i] : 0;
  }
  if (heard < to_.quack_threshold() || !log_known_) {
    return;
  }
  state_ = OutboundState::active;
  restart_tap(std::min(backed_durable(), newest_), effects);
}

std::uint64_t OutboundLink::backed_durable() const {
  std::array<std::uint64_t, replicas_max> durable{};
  for (std::size_t i = 0; i < reports_.size(); ++i) {
    durable[i] = reports_[i].durable();
  }
  return highest_backed(std::span<const std::uint64_t>(durable.data(), reports_.size()), to_.weights,
                        to_.quack_threshold());
}

// Everything up to `after` is QUACKed: the tap need not bring it.
void OutboundLink::restart_tap(std::uint64_t after, Effects& effects) {
  quacked_ = after;
  release_quacked(effects);
  if (released_ < std::min(quacked_, admitted_)) {
    return;  // on_deadline gives the rest back first and comes here again by advance_quack
  }
  released_ = after;
  admitted_ = after;
  if (after == newest_) {
    quacked_message_ = newest_message_;
  }
  state_ =
      after + 1 < oldest_readable_ && after < newest_ ? OutboundState::needs_snapshot : OutboundState::active;
  effects.push_back(StartTap{context_.link, BatchNumber(after)});
  effects.push_back(Quacked{context_.link, BatchNumber(after)});
}

void OutboundLink::update_rto(const PeerTable& peers) {
  const Duration measured = peers.delays(to_).timeout + ack_interval_ * 2;
  rto_ = std::min(std::max(rto_min_, measured), round_backoff_max_);
}

void OutboundLink::advance_quack(Effects& effects) {
  const std::uint64_t through = std::min(backed_durable(), std::max(admitted_, newest_));
  if (through <= quacked_ && admitted_ >= quacked_) {
    return;
  }
  if (through > admitted_ || quacked_ > admitted_) {
    restart_tap(std::max(through, quacked_), effects);
    return;
  }
  quacked_ = through;
  quacked_message_ = slot(through).header.last();
  probe_interval_ = rto_ / 4;
  effects.push_back(Quacked{context_.link, BatchNumber(through)});
}

void OutboundLink::release_quacked(Effects& effects) {
  const std::uint64_t end = std::min(quacked_, admitted_);
  while (released_ < end && effects.room() > effects_reserve) {
    const Slot& done = slot(++released_);
    messages_ -= done.header.count;
    bytes_ -= done.payload.bytes;
    effects.push_back(Release{done.payload});
  }
}

Duration OutboundLink::patience(const Slot& slot) const {
  if (slot.attempt + 1U < walk_.length(slot.header.batch)) {
    return rto_;
  }
  const Duration backoff =
      std::min(rto_ * (std::int64_t{1} << std::min(slot.round, 30U)), round_backoff_max_);
  Prng jitter = Prng(seed_).child("round", slot.header.batch.value + slot.round);
  return backoff + Duration::nanoseconds(static_cast<std::int64_t>(
                       jitter.below(static_cast<std::uint64_t>(backoff.ns / 10 + 1))));
}

std::uint64_t OutboundLink::received_mask(std::uint64_t batch) const {
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < reports_.size(); ++i) {
    if (reports_[i].has(batch)) {
      mask |= 1ULL << i;
    }
  }
  return mask;
}

void OutboundLink::count_complaints(ReplicaIndex from, Stamp echo, PeerTable& peers, Effects& effects,
                                    Instant now) {
  const PeerReport& report = reports_[from.value];
  const Instant asked = issued_at(echo);
  const std::uint64_t self = 1ULL << from.value;
  for (std::uint64_t batch = std::max(quacked_, report.prefix()) + 1; batch <= admitted_; ++batch) {
    if (!report.covers(batch) || effects.room() <= effects_reserve) {
      return;
    }
    Slot& candidate = slot(batch);
    if (candidate.since + rto_ > asked) {
      if (candidate.attempt == 0 && candidate.round == 0) {
        return;  // admitted in order: what comes after is younger or was opened later still
      }
      continue;
    }
    if (report.has(batch)) {
      candidate.complaints &= ~self;
      continue;
    }
    if (candidate.since + patience(candidate) > asked) {
      continue;
    }
    candidate.complaints |= self;
    const std::uint64_t received = received_mask(batch);  // by some of the complainers too, since
    if (weight_of(candidate.complaints & ~received, to_.weights) >= to_.truth_threshold() &&
        weight_of(received, to_.weights) < to_.quack_threshold()) {
      open_attempt(batch, peers, effects, now);
    }
  }
}

void OutboundLink::open_attempt(std::uint64_t batch, PeerTable& peers, Effects& effects, Instant now) {
  Slot& lost = slot(batch);
  lost.complaints = 0;
  lost.since = now;
  ++lost.attempt;
  if (lost.attempt == walk_.length(lost.header.batch)) {
    lost.attempt = 0;
    ++lost.round;
    ++counters_.rounds_opened;
  }
  ++counters_.attempts_opened;
  probe_interval_ = rto_ / 4;
  send_if_mine(batch, peers, effects, now);
}

// Sends this attempt of the batch if the walk says that it is this replica's turn. A receiver whose channel
// is known to be closed is passed over for the next: the walk's other pairs still cover every fault.
void OutboundLink::send_if_mine(std::uint64_t batch, PeerTable& peers, Effects& effects, Instant now) {
  const Slot& sending = slot(batch);
  const Pair pair = walk_.pair(sending.header.batch, sending.attempt);
  if (pair.sender != self_.replica) {
    return;
  }
  const std::size_t n = to_.size();
  for (std::size_t step = 0; step < n; ++step) {
    const auto replica = static_cast<std::uint16_t>((pair.receiver.value + step) % n);
    Peer* peer = peers.find({to_.cluster, ReplicaIndex(replica)});
    if (peer == nullptr || !peer->up) {
      continue;
    }
    SendFrame frame = issue_frame(*peer, now);
    frame.lane = Lane::data;
    frame.wants_ack = true;
    frame.has_batch = true;
    frame.batch = BatchSection{.context = context_,
                               .header = sending.header,
                               .round = sending.round,
                               .attempt = sending.attempt,
                               .quacked = BatchNumber(quacked_),
                               .payload = sending.payload,
                               .proof_bytes = sending.proof_bytes};
    effects.push_back(frame);
    const bool first = sending.round == 0 && sending.attempt == 0;
    ++(first ? counters_.first_sends : counters_.resends);
    (first ? counters_.first_send_messages : counters_.resend_messages) += sending.header.count;
    counters_.bytes_sent += sending.payload.bytes;
    return;
  }
}

void OutboundLink::on_deadline(PeerTable& peers, Instant now, Effects& effects) {
  if (state_ != OutboundState::learning) {
    advance_quack(effects);
  }
  release_quacked(effects);
  if (released_ < std::min(quacked_, admitted_) || now < next_deadline()) {
    return;
  }
  bool asked = false;
  for (Peer& peer : peers.of(to_.cluster)) {
    if (!peer.up) {
      continue;
    }
    if (effects.room() <= effects_reserve) {
      if (!asked) {
        return;  // the next step has room
      }
      break;
    }
    SendFrame frame = issue_frame(peer, now);
    frame.lane = Lane::data;
    frame.wants_ack = true;
    frame.positions.push_back(context_.link);
    effects.push_back(frame);
    ++counters_.probes_sent;
    asked = true;
  }
  last_probe_ = now;
  probe_interval_ = std::min(probe_interval_ * 2, probe_interval_max);
}

Instant OutboundLink::next_deadline() const {
  if (released_ < std::min(quacked_, admitted_)) {
    return Instant{};
  }
  if (state_ == OutboundState::learning) {
    return last_probe_ + probe_interval_;
  }
  if (quacked_ >= admitted_) {
    return Instant::never();
  }
  const Slot& oldest = slot(quacked_ + 1);
  // Stamps are rounded down to microseconds: the echo of an earlier probe would not count.
  const Instant answers_count = oldest.since + patience(oldest) + Duration::microseconds(1);
  return std::max(answers_count, last_probe_ + probe_interval_);
}

// A QUACK has a correct replica's word, and a correct replica that keeps its storage never says less later. A
// replica that lost it says nothing before it has caught up with its peers.
bool OutboundLink::destination_reset() const {
  return state_ == OutboundState::active &&
         std::all_of(reports_.begin(), reports_.end(), [this](const PeerReport& report) {
           return report.heard() && report.durable() < quacked_;
         });
}

PositionSection OutboundLink::position() const {
  return {context_, BatchNumber(quacked_), BatchNumber(std::max(newest_, admitted_)), newest_message_};
}

}  // namespace mallard::bridge
