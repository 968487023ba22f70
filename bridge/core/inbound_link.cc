#include "bridge/core/inbound_link.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "bridge/core/quorum.h"

namespace mallard::bridge {

namespace {

// How many batches one planning asks for, when the next may follow, and how long an answer may take when
// round trips are short.
constexpr std::size_t pulls_planned_max = 256;
constexpr Duration pull_pause = Duration::milliseconds(2);
constexpr Duration pull_timeout_min = Duration::milliseconds(20);
// A peer's report may be some acknowledgements old: with a small window the peer is batches further by now.
constexpr std::uint64_t pass_on_slack = 64;
// Room that a step leaves for what follows in the same step.
constexpr std::size_t effects_reserve = 8;

std::size_t ring_capacity(std::uint32_t window_messages) {
  return std::max<std::size_t>(64, 2 * std::bit_ceil(static_cast<std::size_t>(window_messages)));
}

}  // namespace

InboundLink::InboundLink(const BridgeSettings& bridge, const LinkSettings& link)
    : context_{link.link, link.generation, bridge.clusters[link.from.value].epoch,
               bridge.clusters[link.to.value].epoch},
      fence_(link.fence),
      self_(bridge.self),
      from_(bridge.clusters[link.from.value]),
      to_(bridge.clusters[link.to.value]),
      window_(std::bit_ceil(static_cast<std::size_t>(link.window_messages))),
      window_bytes_(link.window_bytes),
      pull_delay_(bridge.pull_delay),
      cursor_(link.cursor.value),
      submitted_(cursor_),
      prefix_(cursor_),
      next_message_(link.cursor_message.value + 1),
      cursor_message_(link.cursor_message),
      held_(ring_capacity(link.window_messages), cursor_),
      slots_(held_.capacity()),
      checks_(from_.size() + to_.size()),
      reports_(to_.size()),
      budgets_(to_.size()),
      hints_(from_.size()),
      committed_(from_.size()),
      committed_message_(from_.size()),
      withholds_acks_(link.storage_lost) {
  consider_acking();
  refresh_report();
}

std::uint64_t InboundLink::window_end() const {
  return std::min(cursor_ + window_, held_.base() + held_.capacity());
}

bool InboundLink::wants(std::uint64_t batch) {
  if (batch <= cursor_ || holds(batch)) {
    ++counters_.duplicates_dropped;
    return false;
  }
  if (batch > window_end()) {
    ++counters_.beyond_window_dropped;
    return false;
  }
  return true;
}

void InboundLink::arrive(ReplicaAddress from, const BatchSection& section, const PeerTable& peers,
                         Effects& effects) {
  const StoredBatch batch{section.header, section.payload, section.proof_bytes};
  const bool from_source = from.cluster == from_.cluster;
  counters_.copies_from_source += from_source ? 1 : 0;
  const bool wanted =
      wants(batch.header.batch.value) || (from_source && useful_to_peers(batch.header.batch.value, peers));
  CheckTable::Opening opening;
  if (wanted) {
    opening = checks_.open(from, batch);
    counters_.duplicates_dropped += opening.outcome == CheckTable::Outcome::duplicate ? 1 : 0;
    counters_.no_room_dropped += opening.outcome == CheckTable::Outcome::no_room ? 1 : 0;
  }
  if (opening.outcome != CheckTable::Outcome::opened) {
    effects.push_back(Release{batch.payload});
    return;
  }
  effects.push_back(CheckCertificate{.link = context_.link,
                                     .check = opening.check,
                                     .header = batch.header,
                                     .payload = batch.payload,
                                     .proof_bytes = batch.proof_bytes});
}

void InboundLink::certificate_checked(const CertificateChecked& answer, PeerTable& peers, Instant now,
                                      Effects& effects) {
  const CheckTable::Check check = checks_.close(answer.check);
  if (!answer.valid) {
    ++counters_.verify_failures;
    effects.push_back(Release{check.batch.payload});
    return;
  }
  const std::uint64_t batch = check.batch.header.batch.value;
  if (check.from.cluster == from_.cluster && !holds(batch)) {
    share(check.batch, peers, now, effects);
  }
  if (!wants(batch) || !make_room(batch, check.batch.payload.bytes, effects)) {
    effects.push_back(Release{check.batch.payload});
    return;
  }
  hold(check.batch);
  submit(effects);
  peers.owe_ack(from_.cluster, to_.cluster);
}

bool InboundLink::useful_to_peers(std::uint64_t batch, const PeerTable& peers) const {
  for (const Peer& peer : peers.of(to_.cluster)) {
    const PeerReport& report = reports_[peer.address.replica.value];
    const std::uint64_t base = std::max(report.durable(), hint_);
    if (peer.up && report.heard() && !report.has(batch) &&
        (batch <= base || batch - base <= 2 * window_ + pass_on_slack)) {
      return true;
    }
  }
  return false;
}

// Bodies beyond the cursor are bounded in bytes. What is furthest from being needed makes room, so that the
// batch that everything waits for always finds some.
bool InboundLink::make_room(std::uint64_t batch, std::uint32_t bytes, Effects& effects) {
  while (held_bytes_ + bytes > window_bytes_ && held_bytes_ > 0) {
    const std::uint64_t furthest = held_.highest();
    if (furthest <= std::max(batch, submitted_) || effects.room() <= effects_reserve) {
      ++counters_.no_room_dropped;
      return false;
    }
    ++counters_.no_room_dropped;
    drop(furthest, effects);
    prefix_ = std::min(prefix_, furthest - 1);
  }
  return true;
}

void InboundLink::drop(std::uint64_t batch, Effects& effects) {
  Slot& gone = slot(batch);
  (batch > cursor_ ? held_bytes_ : retained_bytes_) -= gone.batch.payload.bytes;
  effects.push_back(Release{gone.batch.payload});
  gone = Slot{};
  held_.reset(batch);
  --held_count_;
}

void InboundLink::hold(const StoredBatch& batch) {
  const std::uint64_t number = batch.header.batch.value;
  slot(number) = Slot{.batch = batch};
  held_.set(number);
  ++held_count_;
  highest_held_ = std::max(highest_held_, number);
  held_bytes_ += batch.payload.bytes;
  ++counters_.batches_received;
  counters_.messages_received += batch.header.count;
  counters_.bytes_received += batch.payload.bytes;
  while (holds(prefix_ + 1)) {
    ++prefix_;
  }
}

void InboundLink::share(const StoredBatch& batch, PeerTable& peers, Instant now, Effects& effects) {
  for (Peer& peer : peers.of(to_.cluster)) {
    const PeerReport& report = reports_[peer.address.replica.value];
    if (!peer.up || (report.heard() && report.has(batch.header.batch.value)) ||
        effects.room() <= effects_reserve) {
      continue;
    }
    serve(peer, batch, now, effects);
    ++counters_.shares_sent;
  }
}

void InboundLink::serve(Peer& peer, const StoredBatch& batch, Instant now, Effects& effects) const {
  SendFrame frame = issue_frame(peer, now);
  frame.lane = Lane::data;
  frame.wants_ack = true;
  frame.has_batch = true;
  frame.batch = BatchSection{.context = context_,
                             .header = batch.header,
                             .payload = batch.payload,
                             .proof_bytes = batch.proof_bytes};
  effects.push_back(frame);
}

void InboundLink::submit(Effects& effects) {
  while (submitted_ < prefix_) {
    if (effects.room() <= effects_reserve) {
      unfinished_ = true;
      return;
    }
    const std::uint64_t batch = submitted_ + 1;
    const StoredBatch& next = slot(batch).batch;
    if (next.header.first.value != next_message_) {
      ++counters_.discontinuous_dropped;
      drop(batch, effects);
      prefix_ = submitted_;
      return;
    }
    effects.push_back(Apply{.context = context_,
                            .fence = fence_,
                            .header = next.header,
                            .payload = next.payload,
                            .proof_bytes = next.proof_bytes});
    submitted_ = batch;
    next_message_ = next.header.last().value + 1;
  }
}

void InboundLink::applied(const Applied& event, PeerTable& peers, Instant now, Effects& effects) {
  const std::uint64_t cursor = event.cursor.value;
  if (cursor <= cursor_) {
    return;
  }
  for (std::uint64_t batch = cursor_ + 1; batch <= cursor && held_.contains(batch); ++batch) {
    if (held_.test(batch)) {
      held_bytes_ -= slot(batch).batch.payload.bytes;
      retained_bytes_ += slot(batch).batch.payload.bytes;
      ++counters_.batches_applied;
      counters_.messages_applied += slot(batch).batch.header.count;
    }
  }
  cursor_ = cursor;
  cursor_message_ = event.cursor_message;
  if (cursor > submitted_) {
    submitted_ = cursor;
    next_message_ = event.cursor_message.value + 1;
  }
  prefix_ = std::max(prefix_, cursor);
  while (holds(prefix_ + 1)) {
    ++prefix_;
  }
  release_retained(peers, effects);
  submit(effects);
  consider_acking();
  peers.owe_ack(from_.cluster, to_.cluster);
  if (known_elsewhere() > prefix_) {
    want_pulls(now);
  }
}

void InboundLink::release_retained(const PeerTable& peers, Effects& effects) {
  std::uint64_t everybody = cursor_;
  for (const Peer& peer : peers.of(to_.cluster)) {
    if (peer.up) {
      everybody = std::min(everybody, reports_[peer.address.replica.value].prefix());
    }
  }
  const std::uint64_t target = std::max(everybody, cursor_ > window_ ? cursor_ - window_ : 0);
  while (held_.base() < target || (retained_bytes_ > window_bytes_ && held_.base() < cursor_)) {
    if (held_count_ == 0) {
      pass_over(std::max(target, held_.base()));
      return;
    }
    if (effects.room() <= effects_reserve) {
      unfinished_ = true;
      return;
    }
    const std::uint64_t oldest = held_.base() + 1;
    if (held_.test(oldest)) {
      drop(oldest, effects);
    }
    pass_over(oldest);
  }
}

// Nothing is held up to `last`. A slot may still say when the batch that never came to it was to be pulled.
void InboundLink::pass_over(std::uint64_t last) {
  const std::uint64_t end = std::min(last, held_.base() + held_.capacity());
  for (std::uint64_t batch = held_.base() + 1; batch <= end; ++batch) {
    slot(batch) = Slot{};
  }
  held_.advance(last);
}

void InboundLink::advertised(ReplicaIndex from, const AckSection& ack, PeerTable& peers, Instant now) {
  reports_[from.value].update(ack);
  const bool withheld = withholds_acks_;
  consider_acking();
  if (withheld && !withholds_acks_) {
    peers.owe_ack(from_.cluster, to_.cluster);
  }
  if (reports_[from.value].highest() > prefix_) {
    want_pulls(now + pull_delay_);
  }
}

void InboundLink::peer_down(ReplicaIndex replica) { reports_[replica.value].session_ended(); }

void InboundLink::hinted(ReplicaIndex from, BatchNumber quacked, Instant now) {
  source_heard_at_ = now;
  if (quacked.value <= hints_[from.value]) {
    return;
  }
  hints_[from.value] = quacked.value;
  hint_ = highest_backed(hints_, from_.weights, from_.truth_threshold());
  if (hint_ > prefix_) {
    want_pulls(now + pull_delay_);
  }
}

void InboundLink::positioned(ReplicaIndex from, const PositionSection& position, Instant now) {
  committed_[from.value] = std::max(committed_[from.value], position.committed.value);
  committed_message_[from.value] = std::max(committed_message_[from.value], position.committed_message.value);
  hinted(from, position.quacked, now);
}

BatchNumber InboundLink::source_committed() const {
  return BatchNumber(highest_backed(committed_, from_.weights, from_.truth_threshold()));
}

MessageNumber InboundLink::source_committed_message() const {
  return MessageNumber(highest_backed(committed_message_, from_.weights, from_.truth_threshold()));
}

void InboundLink::pull_requested(Peer& peer, const PullSection& pull, Instant now, Effects& effects) {
  PullBudget& budget = budgets_[peer.address.replica.value];
  for (const BatchNumber wanted : pull.batches) {
    const std::uint64_t batch = wanted.value;
    const bool in_memory = holds(batch);
    const bool applied_here = batch >= 1 && batch <= cursor_;
    if ((!in_memory && !applied_here) || effects.room() <= effects_reserve || !budget.grant(batch, now)) {
      ++counters_.pulls_refused;
      continue;
    }
    if (in_memory) {
      budget.spend(slot(batch).batch.payload.bytes);
      serve(peer, slot(batch).batch, now, effects);
      ++counters_.pulls_served;
    } else {
      effects.push_back(LoadBatch{context_.link, wanted, peer.address.replica});
    }
  }
}

void InboundLink::batch_loaded(const BatchLoaded& event, PeerTable& peers, Instant now, Effects& effects) {
  if (!event.found) {
    ++counters_.pulls_refused;
    return;
  }
  budgets_[event.for_peer.value].spend(event.payload.bytes);
  Peer* peer = peers.find({to_.cluster, event.for_peer});
  if (peer != nullptr && peer->up) {
    serve(*peer, {event.header, event.payload, event.proof_bytes}, now, effects);
    ++counters_.pulls_served;
  }
  effects.push_back(Release{event.payload});
}

std::uint64_t InboundLink::known_elsewhere() const {
  std::uint64_t known = hint_;
  for (const PeerReport& report : reports_) {
    if (report.heard()) {
      known = std::max(known, report.highest());
    }
  }
  return known;
}

void InboundLink::want_pulls(Instant at) { pull_at_ = std::min(pull_at_, at); }

// Peers that advertise the batch take turns; when none does and a hint says that one of them has it, all take
// turns.
Peer* InboundLink::next_holder(std::uint16_t asked_last, std::uint64_t batch, PeerTable& peers) const {
  const std::size_t n = to_.size();
  Peer* by_hint = nullptr;
  for (std::size_t step = 1; step <= n; ++step) {
    const auto replica = static_cast<std::uint16_t>((asked_last + step) % n);
    Peer* peer = peers.find({to_.cluster, ReplicaIndex(replica)});
    if (peer == nullptr || !peer->up) {
      continue;
    }
    if (reports_[replica].heard() && reports_[replica].has(batch)) {
      return peer;
    }
    if (by_hint == nullptr && batch <= hint_) {
      by_hint = peer;
    }
  }
  return by_hint;
}

void InboundLink::plan_pulls(PeerTable& peers, Instant now, Effects& effects) {
  std::array<FixedVector<BatchNumber, pulls_per_frame_max>, replicas_max> asks;
  const std::uint64_t end = std::min(window_end(), known_elsewhere());
  const Delays delays = peers.delays(to_);
  // A share that is on its way takes as long as everything else that is.
  const Duration grace = std::max(pull_delay_, delays.round_trip);
  const Duration timeout = std::max(delays.timeout, pull_timeout_min);
  pull_at_ = Instant::never();
  std::size_t asked = 0;
  for (std::uint64_t batch = prefix_ + 1; batch <= end && asked < pulls_planned_max; ++batch) {
    if (held_.word_at(batch) == ~0ULL) {
      batch += 63;
      continue;
    }
    if (holds(batch) || (held_bytes_ >= window_bytes_ && batch != prefix_ + 1)) {
      continue;
    }
    Slot& missing = slot(batch);
    if (missing.next_pull == Instant{}) {
      missing.next_pull = now + grace;
    }
    if (now < missing.next_pull) {
      want_pulls(missing.next_pull);
      continue;
    }
    Peer* holder = next_holder(missing.asked, batch, peers);
    if (holder == nullptr) {
      continue;  // whoever advertises it next wakes the planning
    }
    auto& ask = asks[holder->address.replica.value];
    if (ask.full()) {
      want_pulls(now + pull_pause);
      continue;
    }
    ask.push_back(BatchNumber(batch));
    ++asked;
    const bool advertised = reports_[holder->address.replica.value].has(batch);
    counters_.pulls_by_hint += advertised ? 0 : 1;
    ++counters_.pulls_sent;
    missing.asked = holder->address.replica.value;
    missing.next_pull = now + timeout;
    want_pulls(missing.next_pull);
  }
  if (asked == pulls_planned_max) {
    want_pulls(now + pull_pause);
  }
  for (std::size_t i = 0; i < to_.size(); ++i) {
    Peer* peer = peers.find({to_.cluster, ReplicaIndex(static_cast<std::uint16_t>(i))});
    if (asks[i].empty() || peer == nullptr || effects.room() <= effects_reserve) {
      continue;
    }
    SendFrame frame = issue_frame(*peer, now);
    frame.has_pull = true;
    frame.pull = PullSection{context_, asks[i]};
    effects.push_back(frame);
  }
}

void InboundLink::consider_acking() {
  if (!withholds_acks_) {
    return;
  }
  std::array<std::uint64_t, replicas_max> durable{};
  Weight heard = 0;
  for (std::size_t i = 0; i < reports_.size(); ++i) {
    if (reports_[i].heard()) {
      heard += to_.weights[i];
      durable[i] = reports_[i].durable();
    }
  }
  const std::uint64_t known = highest_backed(std::span<const std::uint64_t>(durable.data(), reports_.size()),
                                             to_.weights, to_.truth_threshold());
  const Weight others = to_.total() - to_.weights[self_.replica.value];
  withholds_acks_ = heard < std::min(to_.quack_threshold(), others) || cursor_ < known;
}

void InboundLink::refresh_report() {
  report_.context = context_;
  report_.prefix = BatchNumber(prefix_);
  report_.durable = BatchNumber(cursor_);
  report_.phi_words = 0;
  for (std::uint64_t first = prefix_ + 1; first <= highest_held_ && report_.phi_words < report_.phi.size();
       first += 64) {
    report_.phi[report_.phi_words++] = held_.word_at(first);
  }
  while (report_.phi_words > 0 && report_.phi[report_.phi_words - 1] == 0) {
    --report_.phi_words;
  }
}

void InboundLink::on_deadline(PeerTable& peers, Instant now, Effects& effects) {
  if (unfinished_) {
    unfinished_ = false;
    release_retained(peers, effects);
    submit(effects);
  }
  if (now >= pull_at_) {
    plan_pulls(peers, now, effects);
  }
}

Instant InboundLink::next_deadline() const { return unfinished_ ? Instant{} : pull_at_; }

}  // namespace mallard::bridge
