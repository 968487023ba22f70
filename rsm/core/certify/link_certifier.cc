#include "rsm/core/certify/link_certifier.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "config/base/invariant.h"

namespace mallard::rsm::certify {

namespace {

constexpr std::uint64_t set_size = 64;

BatchNumber plus(BatchNumber batch, std::uint64_t count) { return BatchNumber(batch.value + count); }

}  // namespace

LinkCertifier::LinkCertifier(const CertifySettings& settings, const LinkSettings& link)
    : index_(link.link),
      gather_(settings.gather),
      ask_after_(settings.ask_after),
      ask_again_max_(settings.ask_again_max),
      guard_(link.mark, link.mark_lost),
      window_(settings.window_batches, settings.signers_max),
      answer_from_(settings.signers_max) {
  MALLARD_INVARIANT(settings.window_batches <= window_batches_max);
  MALLARD_INVARIANT(ask_after_ > Duration() && ask_again_max_ >= ask_after_);
}

// ---- The link and its batches.

void LinkCertifier::start(const LinkStarted& event, Turn turn) {
  MALLARD_INVARIANT(event.link.link == index_ && event.link.generation.value != 0);
  const bool same = event.link.generation == link_.generation;
  const BatchNumber base = same ? std::max(window_.base(), event.after) : event.after;
  stop();
  started_ = true;
  link_ = event.link;
  destination_epoch_ = event.destination_epoch;
  window_.reset(base);
  newest_ = event.after;
  newest_root_ = event.after.value == 0 ? crypto::chain_start(event.link) : event.root;
  certified_ = base;
  asked_certified_ = base;
  next_sign_ = base.next();
  guard_.start(link_.generation, newest_, newest_root_);
  settle(turn);
}

void LinkCertifier::stop() {
  started_ = false;
  halted_.reset();
  ++life_;
  check_waits_ = BatchNumber();
  gathered_ = {};
  send_at_ = Instant::never();
  ask_at_ = Instant::never();
}

bool LinkCertifier::accepts_batch() const {
  return is_running() && (newest_ < window_.base() || newest_.value - window_.base().value < window_.size());
}

void LinkCertifier::extend(const BatchDurable& event, Turn turn) {
  MALLARD_INVARIANT(accepts_batch() && event.range.batch == newest_.next());
  const crypto::BatchFact fact{
      .link = link_, .range = event.range, .previous = newest_root_, .payload = event.payload};
  newest_ = event.range.batch;
  newest_root_ = crypto::root_of(fact);
  ++counters_.batches;
  guard_.extend(newest_, newest_root_);
  if (window_.contains(newest_)) {
    Batch& batch = window_.at(newest_);
    batch.known = true;
    batch.range = fact.range;
    batch.payload = fact.payload;
    batch.previous = fact.previous;
    batch.root = newest_root_;
    batch.since = turn.now;
    if (ask_at_ == Instant::never()) {
      ask_pause_ = ask_after_;
      ask_at_ = turn.now + ask_after_;
    }
    for (ReplicaSet early = batch.held; early != 0; early &= early - 1) {
      const ReplicaIndex by = Signers::lowest(early);
      if (window_.share(newest_, by).root != batch.root) contradict(newest_, by, turn);
    }
    consider(newest_, turn);
  }
  settle(turn);
}

void LinkCertifier::release(const Released& event, Turn turn) {
  if (!started_ || event.generation != link_.generation || event.through <= window_.base()) return;
  window_.advance(event.through);
  certified_ = std::max(certified_, event.through);
  settle(turn);
}

// ---- Own signatures.

void LinkCertifier::settle(Turn turn) {
  if (!is_running()) return;
  if (guard_.state() == GuardState::contradicted) return halt(HaltReason::contradicts_mark, turn);
  if (guard_.state() == GuardState::outdated) return halt(HaltReason::older_than_mark, turn);
  if (turn.signers.self && newest_ > window_.base()) {
    if (const auto mark = guard_.raise(newest_, newest_root_)) {
      turn.effects.push_back(PersistMark{index_, *mark});
      ++counters_.marks_ordered;
    }
  }
  sign(turn);
  if (gathered_.bits != 0 && (signing_ == 0 || turn.now >= send_at_)) send_gathered(turn);
  tell_certified(turn);
}

void LinkCertifier::sign(Turn turn) {
  if (!turn.signers.self) return;
  next_sign_ = std::max({next_sign_, window_.base().next(), guard_.floor().next()});
  while (signing_ < signs_max && next_sign_ <= newest_ && guard_.may_sign(next_sign_)) {
    turn.effects.push_back(Sign{index_, life_, next_sign_});
    ++signing_;
    next_sign_ = next_sign_.next();
  }
}

void LinkCertifier::mark_persisted(Turn turn) {
  guard_.persisted();
  settle(turn);
}

void LinkCertifier::own_signed(const Signed& event, Turn turn) {
  MALLARD_INVARIANT(signing_ > 0);
  --signing_;
  if (event.life != life_ || !is_running() || !window_.contains(event.batch)) {
    ++counters_.answers_late;
    return settle(turn);
  }
  Batch& batch = window_.at(event.batch);
  window_.share(event.batch, *turn.signers.self) = {batch.root, event.signature};
  batch.held |= turn.signers.own();
  batch.valid |= turn.signers.own();
  ++counters_.batches_signed;
  gather(event.batch, turn);
  consider(event.batch, turn);
  settle(turn);
}

void LinkCertifier::gather(BatchNumber batch, Turn turn) {
  const bool fits = batch >= gathered_.first && batch.value - gathered_.first.value < set_size;
  if (gathered_.bits != 0 && !fits) send_gathered(turn);
  if (gathered_.bits == 0) {
    gathered_.first = batch;
    send_at_ = turn.now + gather_;
  }
  gathered_.bits |= 1ULL << (batch.value - gathered_.first.value);
}

void LinkCertifier::send_gathered(Turn turn) {
  BatchSet set = std::exchange(gathered_, {});
  send_at_ = Instant::never();
  if (set.first <= window_.base()) {
    const std::uint64_t released = window_.base().value - set.first.value + 1;
    set.bits = released < set_size ? set.bits >> released : 0;
    set.first = window_.base().next();
  }
  if (set.bits == 0) return;
  turn.effects.push_back(SendShares{index_, std::nullopt, set});
  counters_.shares_sent += static_cast<std::uint64_t>(std::popcount(set.bits));
}

// ---- Others' shares.

void LinkCertifier::shares_arrived(const SharesArrived& event, Turn turn) {
  const bool foreign = !turn.signers.has(event.from) || event.from == turn.signers.self;
  if (!is_running() || foreign || event.context != context(turn.signers)) {
    counters_.shares_out_of_context += event.shares.size();
    return;
  }
  MALLARD_INVARIANT(event.shares.size() <= shares_per_message_max);
  for (const Share& share : event.shares) {
    take(share, event.from, turn);
  }
  settle(turn);
}

void LinkCertifier::take(const Share& share, ReplicaIndex from, Turn turn) {
  if (!window_.contains(share.batch)) {
    ++counters_.shares_outside;
    return;
  }
  Batch& batch = window_.at(share.batch);
  if ((batch.held & bit_of(from)) != 0) {
    ++counters_.shares_repeated;
    return;
  }
  batch.held |= bit_of(from);
  window_.share(share.batch, from) = {share.root, share.signature};
  ++counters_.shares_taken;
  if (batch.known && share.root != batch.root) {
    contradict(share.batch, from, turn);
  } else {
    consider(share.batch, turn);
  }
}

// One liar can say anything; replicas whose signatures would be enough for a certificate are not all liars.
void LinkCertifier::contradict(BatchNumber number, ReplicaIndex by, Turn turn) {
  Batch& batch = window_.at(number);
  const ShareWindow::Entry& entry = window_.share(number, by);
  batch.contradicting |= bit_of(by);
  ++counters_.contradictions;
  turn.effects.push_back(Contradicted{index_, by, {number, entry.root, entry.signature}});
  ReplicaSet agreeing = 0;
  for (ReplicaSet rest = batch.contradicting; rest != 0; rest &= rest - 1) {
    const ReplicaIndex other = Signers::lowest(rest);
    if (window_.share(number, other).root == entry.root) agreeing |= bit_of(other);
  }
  if (!halted_ && turn.signers.is_enough(agreeing)) halt(HaltReason::diverged, turn);
}

void LinkCertifier::consider(BatchNumber number, Turn turn) {
  Batch& batch = window_.at(number);
  if (halted_ || !batch.known || batch.certified) return;
  if (turn.signers.is_enough(batch.valid)) {
    batch.certified = true;
    batch.signers = batch.valid;
    ++counters_.batches_certified;
    guard_.confirm(number);
    return;
  }
  const bool own_comes = guard_.state() == GuardState::open && number > guard_.floor();
  ReplicaSet expected = batch.valid | batch.checking | (own_comes ? turn.signers.own() : 0);
  ReplicaSet candidates = batch.held & ~(batch.valid | batch.checking | batch.refused | batch.contradicting);
  while (candidates != 0 && !turn.signers.is_enough(expected)) {
    if (checking_ == checks_max) {
      if (check_waits_.value == 0 || number < check_waits_) check_waits_ = number;
      return;
    }
    const ReplicaIndex signer = turn.signers.choose(candidates);
    const crypto::Signature& signature = window_.share(number, signer).signature;
    turn.effects.push_back(CheckShare{index_, life_, number, signer, signature});
    ++checking_;
    ++counters_.shares_checked;
    batch.checking |= bit_of(signer);
    expected |= bit_of(signer);
    candidates &= ~bit_of(signer);
  }
}

void LinkCertifier::consider_starved(Turn turn) {
  if (check_waits_.value == 0 || !is_running()) return;
  const BatchNumber from = std::max(check_waits_, window_.base().next());
  check_waits_ = BatchNumber();
  for (BatchNumber batch = from; batch <= newest_ && check_waits_.value == 0; batch = batch.next()) {
    consider(batch, turn);
  }
}

void LinkCertifier::share_checked(const ShareChecked& event, Turn turn) {
  MALLARD_INVARIANT(checking_ > 0);
  --checking_;
  if (event.life != life_ || !is_running() || !window_.contains(event.batch)) {
    ++counters_.answers_late;
    consider_starved(turn);
    return settle(turn);
  }
  Batch& batch = window_.at(event.batch);
  batch.checking &= ~bit_of(event.signer);
  if (event.valid) {
    batch.valid |= bit_of(event.signer);
  } else {
    batch.refused |= bit_of(event.signer);
    turn.signers.suspects |= bit_of(event.signer);
    ++counters_.shares_refused;
  }
  consider(event.batch, turn);
  consider_starved(turn);
  settle(turn);
}

void LinkCertifier::tell_certified(Turn turn) {
  const BatchNumber before = certified_;
  while (certified_ < newest_ && window_.at(certified_.next()).certified) {
    certified_ = certified_.next();
  }
  if (certified_ != before) turn.effects.push_back(Certified{index_, certified_});
}

// ---- What is missing.

void LinkCertifier::shares_wanted(const SharesWanted& event, Turn turn) {
  const bool foreign = !turn.signers.has(event.from) || event.from == turn.signers.self;
  if (!is_running() || foreign || event.context != context(turn.signers)) {
    ++counters_.shares_out_of_context;
    return;
  }
  Instant& answer_from = answer_from_[event.from.value];
  if (turn.now < answer_from) {
    ++counters_.asks_refused;
    return;
  }
  answer_from = turn.now + ask_after_ / 2;
  BatchSet signed_ones{event.batches.first, 0};
  for (std::uint64_t i = 0; i < set_size; ++i) {
    const BatchNumber batch = plus(event.batches.first, i);
    if (batch < event.batches.first) break;  // it names numbers that do not exist
    const bool wanted = ((event.batches.bits >> i) & 1U) != 0;
    if (wanted && own_share(batch, turn.signers)) signed_ones.bits |= 1ULL << i;
  }
  if (signed_ones.bits == 0) return;
  turn.effects.push_back(SendShares{index_, event.from, signed_ones});
  counters_.shares_answered += static_cast<std::uint64_t>(std::popcount(signed_ones.bits));
}

void LinkCertifier::peer_up(Instant now) {
  if (!is_running() || ask_at_ == Instant::never()) return;
  ask_pause_ = ask_after_;
  ask_at_ = std::min(ask_at_, now + ask_after_);
}

void LinkCertifier::ask(Turn turn) {
  ask_at_ = Instant::never();
  if (newest_ <= certified_) return;
  BatchSet waiting{certified_.next(), 0};
  for (std::uint64_t i = 0; i < set_size && plus(waiting.first, i) <= newest_; ++i) {
    const Batch& batch = window_.at(plus(waiting.first, i));
    if (!batch.certified && batch.since + ask_after_ <= turn.now) waiting.bits |= 1ULL << i;
  }
  if (waiting.bits == 0) {  // the first of them is younger than what ask_at_ was set for
    ask_at_ = window_.at(waiting.first).since + ask_after_;
    return;
  }
  for (std::size_t i = 0; i < turn.signers.roster.size(); ++i) {
    const ReplicaIndex peer(static_cast<std::uint16_t>(i));
    if (peer == turn.signers.self) continue;
    BatchSet missing = waiting;
    for (ReplicaSet rest = waiting.bits; rest != 0; rest &= rest - 1) {
      const auto place = static_cast<std::uint64_t>(std::countr_zero(rest));
      const bool held = (window_.at(plus(waiting.first, place)).held & bit_of(peer)) != 0;
      if (held) missing.bits &= ~(1ULL << place);
    }
    if (missing.bits == 0) continue;
    turn.effects.push_back(AskShares{index_, peer, missing});
    ++counters_.asks_sent;
  }
  ask_pause_ = certified_ > asked_certified_ ? ask_after_ : std::min(ask_pause_ * 2, ask_again_max_);
  asked_certified_ = certified_;
  ask_at_ = turn.now + ask_pause_;
}

void LinkCertifier::on_deadline(Turn turn) {
  if (!is_running()) return;
  if (turn.now >= ask_at_) ask(turn);
  settle(turn);
}

Instant LinkCertifier::next_deadline() const {
  return is_running() ? std::min(ask_at_, send_at_) : Instant::never();
}

void LinkCertifier::halt(HaltReason reason, Turn turn) {
  halted_ = reason;
  turn.effects.push_back(LinkHalted{index_, reason});
}

// ---- What is known.

LinkState LinkCertifier::state() const {
  if (halted_) return LinkState::halted;
  if (!started_) return LinkState::waiting;
  if (guard_.state() == GuardState::behind) return LinkState::behind;
  return guard_.state() == GuardState::lost ? LinkState::silent : LinkState::certifying;
}

ShareContext LinkCertifier::context(const Signers& signers) const {
  return {index_, link_.generation, signers.roster.epoch(), destination_epoch_};
}

crypto::CommitStatement LinkCertifier::statement(BatchNumber number, const Signers& signers) const {
  MALLARD_INVARIANT(window_.contains(number) && window_.at(number).known);
  const Batch& batch = window_.at(number);
  return {.fact = {.link = link_, .range = batch.range, .previous = batch.previous, .payload = batch.payload},
          .source_epoch = signers.roster.epoch(),
          .destination_epoch = destination_epoch_,
          .roster = signers.roster.digest()};
}

std::optional<Share> LinkCertifier::own_share(BatchNumber number, const Signers& signers) const {
  if (!is_running() || !signers.self || !window_.contains(number)) return {};
  const Batch& batch = window_.at(number);
  if ((batch.valid & signers.own()) == 0) return {};
  return Share{number, batch.root, window_.share(number, *signers.self).signature};
}

std::optional<crypto::CommitCertificate> LinkCertifier::certificate(BatchNumber number,
                                                                    const Signers& signers) const {
  if (!is_running() || !window_.contains(number) || !window_.at(number).certified) return {};
  FixedVector<crypto::SignatureShare, replicas_max> shares;
  for (ReplicaSet rest = window_.at(number).signers; rest != 0; rest &= rest - 1) {
    const ReplicaIndex signer = Signers::lowest(rest);
    shares.push_back({signer, window_.share(number, signer).signature});
  }
  const auto certificate = crypto::assemble_certificate(signers.roster, statement(number, signers),
                                                        {shares.begin(), shares.size()});
  MALLARD_INVARIANT(certificate.has_value());
  return *certificate;
}

}  // namespace mallard::rsm::certify
