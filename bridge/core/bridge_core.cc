#include "bridge/core/bridge_core.h"

#include <algorithm>
#include <variant>

#include "config/base/invariant.h"

namespace mallard::bridge {

namespace {

// Numbers above this cannot be reached and would overflow the windows' arithmetic.
constexpr std::uint64_t number_max = UINT64_MAX - (1ULL << 32);
// Room for a whole report to one peer, and for what follows in the same step.
constexpr std::size_t report_frames_max = links_max / sections_per_frame_max + 2;
constexpr std::size_t effects_reserve = report_frames_max + 8;
static_assert(effects_per_step_max > 2 * effects_reserve);

template <class Links>
auto* find_link(Links& links, LinkIndex link) {
  for (auto& candidate : links) {
    if (candidate.context().link == link) {
      return &candidate;
    }
  }
  return static_cast<decltype(links.data())>(nullptr);
}

bool plausible(const BatchHeader& header) {
  return header.batch.value >= 1 && header.batch.value <= number_max && header.first.value >= 1 &&
         header.first.value <= number_max;
}

bool plausible(const AckSection& ack) { return ack.durable <= ack.prefix && ack.prefix.value <= number_max; }

}  // namespace

BridgeCore::BridgeCore(const BridgeSettings& settings)
    : self_(settings.self),
      ack_interval_(settings.ack_interval),
      heartbeat_interval_(settings.heartbeat_interval),
      peers_(settings) {
  for (const LinkSettings& link : settings.links) {
    MALLARD_INVARIANT(settings.clusters[link.from.value].is_sound());
    MALLARD_INVARIANT(settings.clusters[link.to.value].is_sound());
    if (link.from == settings.self.cluster) {
      outbound_.emplace_back(settings, link);
    } else {
      MALLARD_INVARIANT(link.to == settings.self.cluster);
      inbound_.emplace_back(settings, link);
    }
  }
}

void BridgeCore::step(const Event& event, Instant now, Effects& effects) noexcept {
  MALLARD_INVARIANT(now >= now_);
  now_ = now;
  std::visit([&](const auto& happened) { on(happened, now, effects); }, event);
  for (Effect& effect : effects) {
    if (auto* frame = std::get_if<SendFrame>(&effect); frame != nullptr && frame->has_batch) {
      piggyback(*frame, now);
    }
  }
}

void BridgeCore::on(const PeerUp& event, Instant now, Effects& effects) {
  Peer* peer = peers_.find(event.peer);
  MALLARD_INVARIANT(peer != nullptr);
  const PeerCounters counters = peer->counters;
  const bool hears_positions = peer->hears_positions;
  *peer = Peer{.address = event.peer, .up = true, .hears_positions = hears_positions, .counters = counters};
  send_greeting(*peer, now, effects);
}

void BridgeCore::on(const PeerDown& event, Instant now, Effects& effects) {
  (void)now;
  (void)effects;
  Peer* peer = peers_.find(event.peer);
  MALLARD_INVARIANT(peer != nullptr);
  peer->up = false;
  for (OutboundLink& link : outbound_) {
    if (link.destination() == event.peer.cluster) {
      link.peer_down(event.peer.replica);
    }
  }
  for (InboundLink& link : inbound_) {
    if (self_.cluster == event.peer.cluster) {
      link.peer_down(event.peer.replica);
    }
  }
}

void BridgeCore::on(const BatchCommitted& event, Instant now, Effects& effects) {
  OutboundLink* link = find_link(outbound_, event.link);
  MALLARD_INVARIANT(link != nullptr);
  link->admit(event, peers_, now, effects);
}

void BridgeCore::on(const LogExtent& event, Instant now, Effects& effects) {
  (void)now;
  OutboundLink* link = find_link(outbound_, event.link);
  MALLARD_INVARIANT(link != nullptr);
  link->log_extends(event, effects);
}

void BridgeCore::on(const CertificateChecked& event, Instant now, Effects& effects) {
  InboundLink* link = find_link(inbound_, event.link);
  MALLARD_INVARIANT(link != nullptr);
  link->certificate_checked(event, peers_, now, effects);
}

void BridgeCore::on(const Applied& event, Instant now, Effects& effects) {
  InboundLink* link = find_link(inbound_, event.link);
  MALLARD_INVARIANT(link != nullptr);
  link->applied(event, peers_, now, effects);
}

void BridgeCore::on(const BatchLoaded& event, Instant now, Effects& effects) {
  InboundLink* link = find_link(inbound_, event.link);
  MALLARD_INVARIANT(link != nullptr);
  link->batch_loaded(event, peers_, now, effects);
}

void BridgeCore::on(const FrameArrived& event, Instant now, Effects& effects) {
  Peer* peer = peers_.find(event.from);
  const Frame& frame = event.frame;
  if (peer == nullptr || !peer->up) {
    if (frame.has_batch) {
      effects.push_back(Release{frame.batch.payload});
    }
    return;
  }
  bool overtaken = false;
  const char* violation = book_frame(*peer, frame, now, overtaken);
  if (frame.has_batch && (violation != nullptr || !take_batch(*peer, frame.batch, now, violation, effects))) {
    effects.push_back(Release{frame.batch.payload});
  }
  for (const PositionSection& position : frame.positions) {
    violation = violation != nullptr ? violation : take_position(*peer, position, now);
  }
  for (const AckSection& ack : frame.acks) {
    if (violation == nullptr && !overtaken) {
      violation = take_ack(*peer, ack, frame.echo, now, effects);
    }
  }
  if (frame.has_pull && violation == nullptr) {
    violation = take_pull(*peer, frame.pull, now, effects);
  }
  if (violation != nullptr) {
    ++peer->counters.violations;
    effects.push_back(ClosePeer{peer->address, violation});
    return;
  }
  peer->owes_ack = peer->owes_ack || frame.wants_ack;
  send_owed(*peer, now, effects);
}

// Whether a section is of this epoch pair and generation; one that is not is dropped, nobody's fault: it may
// have been on its way while the configuration changed.
bool BridgeCore::in_context(Peer& peer, const LinkContext& theirs, const LinkContext& ours) {
  if (theirs == ours) {
    return true;
  }
  ++peer.counters.stale_context_dropped;
  return false;
}

bool BridgeCore::take_batch(Peer& peer, const BatchSection& section, Instant now, const char*& violation,
                            Effects& effects) {
  InboundLink* link = find_link(inbound_, section.context.link);
  const bool from_source = link != nullptr && peer.address.cluster == link->source();
  if (link == nullptr || (!from_source && peer.address.cluster != self_.cluster)) {
    violation = "it sent a batch of a link that it cannot carry";
    return false;
  }
  if (!plausible(section.header)) {
    violation = "it numbered a batch out of range";
    return false;
  }
  if (!in_context(peer, section.context, link->context())) {
    return false;
  }
  if (from_source) {
    link->hinted(peer.address.replica, section.quacked, now);
  }
  link->arrive(peer.address, section, peers_, effects);
  return true;
}

const char* BridgeCore::take_position(Peer& peer, const PositionSection& position, Instant now) {
  InboundLink* link = find_link(inbound_, position.context.link);
  if (link == nullptr || peer.address.cluster != link->source()) {
    return "it told the position of a link that it does not send";
  }
  if (in_context(peer, position.context, link->context())) {
    link->positioned(peer.address.replica, position, now);
  }
  return nullptr;
}

const char* BridgeCore::take_ack(Peer& peer, const AckSection& ack, Stamp echo, Instant now,
                                 Effects& effects) {
  if (!plausible(ack)) {
    return "it acknowledged as durable what it has not received";
  }
  OutboundLink* sent = find_link(outbound_, ack.context.link);
  if (sent != nullptr && peer.address.cluster == sent->destination()) {
    if (in_context(peer, ack.context, sent->context())) {
      sent->report({peer.address.replica, ack, echo}, peers_, effects, now);
    }
    return nullptr;
  }
  InboundLink* shared = find_link(inbound_, ack.context.link);
  if (shared != nullptr && peer.address.cluster == self_.cluster) {
    if (in_context(peer, ack.context, shared->context())) {
      shared->advertised(peer.address.replica, ack, peers_, now);
    }
    return nullptr;
  }
  return "it acknowledged a link that it does not receive";
}

const char* BridgeCore::take_pull(Peer& peer, const PullSection& pull, Instant now, Effects& effects) {
  InboundLink* link = find_link(inbound_, pull.context.link);
  if (link == nullptr || peer.address.cluster != self_.cluster) {
    return "it pulled a link that it does not share";
  }
  if (in_context(peer, pull.context, link->context())) {
    link->pull_requested(peer, pull, now, effects);
  }
  return nullptr;
}

// Everything that `peer` should know of the links that we share, in as many frames as it takes. Inside a
// cluster reports follow the shares that they tell of, so that nobody pulls what is already on its way.
void BridgeCore::send_report(Peer& peer, bool with_positions, Instant now, Effects& effects) {
  SendFrame frame;
  bool open = false;
  const auto flush = [&](bool full) {
    if (open && full) {
      effects.push_back(frame);
      open = false;
    }
  };
  const auto begin = [&] {
    if (!open) {
      frame = issue_frame(peer, now);
      frame.wants_ack = with_positions;
      frame.lane = with_positions || peer.address.cluster == self_.cluster ? Lane::data : Lane::control;
      open = true;
    }
  };
  for (InboundLink& link : inbound_) {
    const bool to_source = peer.address.cluster == link.source();
    if ((!to_source && peer.address.cluster != self_.cluster) || (to_source && link.withholds_acks())) {
      continue;
    }
    begin();
    link.refresh_report();
    frame.acks.push_back(link.context().link);
    flush(frame.acks.full());
  }
  for (const OutboundLink& link : outbound_) {
    if (!with_positions || peer.address.cluster != link.destination()) {
      continue;
    }
    begin();
    frame.positions.push_back(link.context().link);
    flush(frame.positions.full());
  }
  if (!open && peer.last_sent < now) {
    begin();  // nothing to tell but that we are alive, and the echo
  }
  flush(true);
  peer.owes_ack = false;
  peer.last_ack = now;
  peer.last_position = with_positions ? now : peer.last_position;
}

// A batch that goes to a peer anyway takes along the acknowledgement that the peer is owed (Picsou
// section 4.1), if that is due and fits.
void BridgeCore::piggyback(SendFrame& frame, Instant now) {
  Peer* peer = peers_.find(frame.to);
  if (!peer->owes_ack || now < peer->last_ack + ack_interval_) {
    return;
  }
  for (InboundLink& link : inbound_) {
    const bool to_source = peer->address.cluster == link.source();
    if ((!to_source && peer->address.cluster != self_.cluster) || (to_source && link.withholds_acks())) {
      continue;
    }
    if (frame.acks.full()) {
      frame.acks.clear();
      return;
    }
    link.refresh_report();
    frame.acks.push_back(link.context().link);
  }
  peer->owes_ack = frame.acks.empty();
  peer->last_ack = frame.acks.empty() ? peer->last_ack : now;
}

void BridgeCore::send_greeting(Peer& peer, Instant now, Effects& effects) {
  send_report(peer, true, now, effects);
}

// At most one acknowledgement in an interval, and at once when the last one is older than that.
void BridgeCore::send_owed(Peer& peer, Instant now, Effects& effects) {
  if (peer.up && peer.owes_ack && now >= peer.last_ack + ack_interval_ && effects.room() > effects_reserve) {
    send_report(peer, false, now, effects);
  }
}

void BridgeCore::on_deadline(Instant now, Effects& effects) noexcept {
  MALLARD_INVARIANT(now >= now_);
  now_ = now;
  for (OutboundLink& link : outbound_) {
    link.on_deadline(peers_, now, effects);
  }
  for (InboundLink& link : inbound_) {
    link.on_deadline(peers_, now, effects);
  }
  for (Peer& peer : peers_.all()) {
    send_owed(peer, now, effects);
    if (peer.up && now >= peer.last_heartbeat() + heartbeat_interval_ && effects.room() > effects_reserve) {
      send_report(peer, true, now, effects);
    }
  }
}

Instant BridgeCore::next_deadline() const noexcept {
  Instant next = Instant::never();
  for (const OutboundLink& link : outbound_) {
    next = std::min(next, link.next_deadline());
  }
  for (const InboundLink& link : inbound_) {
    next = std::min(next, link.next_deadline());
  }
  for (const Peer& peer : peers_.all()) {
    if (peer.up) {
      next = std::min(next, peer.last_heartbeat() + heartbeat_interval_);
      next = peer.owes_ack ? std::min(next, peer.last_ack + ack_interval_) : next;
    }
  }
  return next;
}

bool BridgeCore::accepts_commit(LinkIndex link) const noexcept {
  const OutboundLink* found = outbound(link);
  return found != nullptr && found->accepts_commit();
}

const AckReport& BridgeCore::ack_of(LinkIndex link) const noexcept {
  const InboundLink* found = inbound(link);
  MALLARD_INVARIANT(found != nullptr);
  return found->report();
}

PositionSection BridgeCore::position_of(LinkIndex link) const noexcept {
  const OutboundLink* found = outbound(link);
  MALLARD_INVARIANT(found != nullptr);
  return found->position();
}

const OutboundLink* BridgeCore::outbound(LinkIndex link) const noexcept { return find_link(outbound_, link); }

const InboundLink* BridgeCore::inbound(LinkIndex link) const noexcept { return find_link(inbound_, link); }

}  // namespace mallard::bridge
