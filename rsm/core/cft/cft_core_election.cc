// Who should lead, promises and grants, and the way to the lead.
#include <algorithm>

#include "config/base/invariant.h"
#include "rsm/core/cft/cft_core.h"

namespace mallard::rsm::cft {

using memory::ProcessIndex;
using memory::ProcessSet;

// ---- Who should lead.

// The newest membership that anybody knows: only for whom to listen to, never for counting.
Members CftCore::newest_members() const {
  Members newest = members();
  for (const Peer& peer : peers_) {
    if (peer.known && peer.card.members.epoch > newest.epoch) newest = peer.card.members;
  }
  return newest;
}

bool CftCore::eligible(ProcessIndex process) const {
  if (process == self_) return !recovering_ && !needs_snapshot_ && now_ >= resting_until_;
  const Peer& peer = peers_[process.value];
  return peer.score.alive() && now_ >= peer.accused_until &&
         (peer.card.flags & (Card::recovering | Card::needs_snapshot | Card::resting)) == 0;
}

// A leader that works stays, whatever its index; else the lowest that can, so that all who see the same agree
// (Mu, section 4.1).
std::optional<ProcessIndex> CftCore::view() const {
  const Members members = newest_members();
  std::optional<ProcessIndex> lowest;
  std::optional<ProcessIndex> leading;
  Ballot reign;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const ProcessIndex process(static_cast<std::uint16_t>(i));
    if (!members.has(process) || !eligible(process)) continue;
    if (!lowest) lowest = process;
    const Ballot its = process != self_ ? peers_[i].card.reign : claimed();
    if (its > reign) {
      reign = its;
      leading = process;
    }
  }
  return leading ? leading : lowest;
}

// ---- Promises and grants.

// A grant is told once nothing can undo or hide it: the regrant is done (R7), the promise is on disk where
// that counts, and own card in own memory shows it to whoever recovers by reading.
bool CftCore::grant_ready() const {
  return grant_.value != 0 && !switching_ && promise_durable_ && status_promise_ == promise_;
}

void CftCore::consider() {
  if (switching_ || !promise_durable_) return;
  if (recovering_) {
    consider_recovery();
    return;
  }
  const std::optional<ProcessIndex> leader = view();
  if (!leader) return;
  if (*leader != self_) {
    if (role_ == Role::candidate) step_down();
    const Peer& peer = peers_[leader->value];
    const Ballot request = peer.known ? peer.card.request : Ballot();
    if (leader_of(request) != *leader || request.value == 0) return;
    if (request > promise_ || (request == promise_ && grant_.value == 0)) grant(request, *leader);
    return;
  }
  if (role_ == Role::follower) {
    become_candidate();
  } else if (role_ == Role::candidate && now_ - progress_at_ > settings_.poll_interval * 4) {
    // Somebody promised a later reign: this candidacy cannot have that one.
    const bool outbid = std::any_of(peers_.begin(), peers_.end(), [&](const Peer& peer) {
      return peer.known && peer.score.alive() && peer.card.promise > ballot_;
    });
    if (outbid) become_candidate();
  }
}

// A replica that lost its log was part of promises and decisions that it knows nothing of. It has read the
// cards of so many others that each of those is known to one of them, finds the latest promise among them,
// and follows the leader of that very promise if that leads: its log has everything that was decided with
// this replica's help (README.md, "Why a replica that lost its log may come back").
void CftCore::consider_recovery() {
  const Members members = newest_members();
  std::size_t read = 0;
  Ballot latest;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    const Peer& peer = peers_[i];
    if (i == self_.value || !members.has(index_of(peer))) continue;
    if (!peer.looked || peer.card.is(Card::recovering)) continue;
    ++read;
    latest = std::max(latest, peer.card.promise);
  }
  if (read + members.majority() < members.count() + 1 || latest.value == 0) return;
  const ProcessIndex leader = leader_of(latest);
  if (leader == self_ || leader.value >= peers_.size()) return;
  const Peer& peer = peers_[leader.value];
  if (!peer.looked || peer.card.is(Card::recovering) || peer.card.reign != latest) return;
  if (latest > promise_ || (latest == promise_ && grant_.value == 0)) grant(latest, leader);
}

void CftCore::grant(Ballot ballot, ProcessIndex leader) {
  if (role_ != Role::follower && leader != self_) step_down();
  for (Peer& peer : peers_) {
    if (peer.log_sources > 0) reset(peer);
  }
  const bool is_new = ballot != promise_;
  promise_ = ballot;
  grant_ = memory::GrantNumber();
  caught_up_ = false;
  switching_ = true;
  reported_ = {};
  if (is_new && settings_.durability == Durability::disk) {
    promise_durable_ = false;
    pending_tickets_.push_back({++tickets_, 0, promise_});
    effects_->push_back(PersistPromise{tickets_, promise_});
  }
  const Lsn keep = released() > settings_.keep_bytes ? released() - settings_.keep_bytes : 0;
  tail_ = std::max(tail(), keep / entry_alignment * entry_alignment);
  effects_->push_back(Regrant{leader, settings_.layout.live(tail_, credit_)});
}

// From here on nobody else writes own log: its end is what it is.
void CftCore::regranted(memory::GrantNumber number, const OwnMemory& memory) {
  switching_ = false;
  grant_ = number;
  grant_end_ = log_.walk(memory.log, log_.stable(), promise_, credit_);
  credit_ = grant_end_.lsn;
}

// ---- The way to the lead.

void CftCore::become_candidate() {
  std::uint64_t term = std::max(term_of(promise_), term_of(ballot_));
  for (const Peer& peer : peers_) {
    if (!peer.known) continue;
    term = std::max({term, term_of(peer.card.promise), term_of(peer.card.request), term_of(peer.card.reign)});
  }
  ballot_ = make_ballot(term + 1, self_);
  role_ = Role::candidate;
  phase_ = Phase::collecting;
  progress_at_ = now_;
  for (Peer& peer : peers_) peer.verified = false;
  grant(ballot_, self_);
}

ProcessSet CftCore::granted_set() const {
  ProcessSet set = promise_ == ballot_ && grant_ready() ? 1ULL << self_.value : 0;
  for (const Peer& peer : peers_) {
    if (peer.known && peer.card.promise == ballot_ && peer.card.grant.value != 0 &&
        !peer.card.is(Card::recovering)) {
      set |= 1ULL << index_of(peer).value;
    }
  }
  return set;
}

ProcessSet CftCore::verified_set() const {
  ProcessSet set = granted_set();
  for (const Peer& peer : peers_) {
    if (index_of(peer) != self_ && !peer.verified) set &= ~(1ULL << index_of(peer).value);
  }
  return set;
}

// A grant counts only if it still stood after a majority had granted: a replica that died meanwhile and
// forgot may be counted by others already. So everybody is looked at once more, then the best log is chosen.
// Own grant must be among them: nobody leads whose own log is still somebody else's.
void CftCore::run_candidacy(const OwnMemory& memory) {
  const bool granted = grant_ready() && members().is_majority(granted_set());
  if (!granted && phase_ != Phase::collecting) phase_ = Phase::collecting;
  if (phase_ == Phase::collecting && granted) start_verifying();
  if (phase_ == Phase::verifying && members().is_majority(verified_set())) choose_log(memory);
  if (role_ == Role::candidate && phase_ == Phase::fetching) fetch();
  if (role_ == Role::candidate && phase_ == Phase::entering) lead(memory);
}

void CftCore::start_verifying() {
  phase_ = Phase::verifying;
  verify_after_ = looks_;
  for (Peer& peer : peers_) {
    peer.verified = false;
    const bool counts = ((granted_set() >> index_of(peer).value) & 1U) != 0;
    if (counts && index_of(peer) != self_) post_look(peer);
  }
}

// The log whose last entry is the youngest, and the longest of those: it has all that was decided (Raft,
// section 5.4.1). The chain makes logs with equal last entries equal.
void CftCore::choose_log(const OwnMemory& memory) {
  const ProcessSet verified = verified_set();
  const Peer* best = nullptr;
  Ballot last = grant_end_.ballot;
  Lsn end = grant_end_.lsn;
  for (const Peer& peer : peers_) {
    if (index_of(peer) == self_ || ((verified >> index_of(peer).value) & 1U) == 0) continue;
    if (peer.card.last > last || (peer.card.last == last && peer.card.end > end)) {
      best = &peer;
      last = peer.card.last;
      end = peer.card.end;
    }
  }
  if (best == nullptr) {
    phase_ = Phase::entering;
    lead(memory);
    return;
  }
  if (best->card.tail > log_.stable().lsn) {
    needs_snapshot_ = true;
    effects_->push_back(NeedSnapshot{index_of(*best), best->card.tail});
    step_down();
    return;
  }
  if (fetch_out_) return;    // of an earlier candidacy; its place is needed
  if (renews_.value != 0) {  // somebody led meanwhile
    renews_ = Ballot();
    effects_->push_back(Deposed{log_.stable().lsn});
  }
  phase_ = Phase::fetching;
  source_ = index_of(*best);
  fetch_end_ = {end, 0, last};
  // With equal last entries own log is the beginning of the other.
  fetch_at_ = last == grant_end_.ballot ? grant_end_.lsn : log_.stable().lsn;
}

void CftCore::fetch() {
  Peer& peer = peers_[source_.value];
  if (fetch_out_ || !has_room(peer, 1)) return;
  if (fetch_end_.lsn > released() + settings_.layout.ring_bytes) return;  // own ring has no room yet
  const std::uint64_t bytes = std::min({fetch_end_.lsn - fetch_at_, settings_.layout.until_wrap(fetch_at_),
                                        settings_.layout.chunk_bytes / entry_alignment * entry_alignment});
  fetch_out_ = true;
  post(peer, WorkTag::fetch, (term_of(ballot_) & 0xffff) << 32 | bytes,
       {.kind = memory::WorkKind::read,
        .region = log_region,
        .offset = settings_.layout.log_offset(fetch_at_),
        .bytes = bytes,
        .local_offset = settings_.layout.chunk_offset()});
}

// Bytes that both logs have are written over by themselves; what differs was never decided.
void CftCore::fetched(std::uint64_t value, const OwnMemory& memory) {
  fetch_out_ = false;
  if (role_ != Role::candidate || phase_ != Phase::fetching || value >> 32 != (term_of(ballot_) & 0xffff))
    return;
  const std::uint64_t bytes = value & 0xffff'ffffU;
  ByteWriter(memory.log.subspan(settings_.layout.log_offset(fetch_at_), bytes))
      .write_bytes(memory.scratch.subspan(settings_.layout.chunk_offset(), bytes));
  fetch_at_ += bytes;
  credit_ = std::max(credit_, fetch_at_);
  progress_at_ = now_;
  if (fetch_at_ < fetch_end_.lsn) return;
  const LogMark end = log_.walk(memory.log, log_.stable(), ballot_, credit_);
  if (end.lsn != fetch_end_.lsn || end.ballot != fetch_end_.ballot) {
    rest();
    return;
  }
  grant_end_ = end;
  phase_ = Phase::entering;
}

void CftCore::lead(const OwnMemory& memory) {
  credit_ = std::max(credit_, grant_end_.lsn);
  log_.reread();
  pending_.reset();
  while (read_more(memory, ballot_)) {
  }
  if (log_.end().lsn != grant_end_.lsn || log_.journaled() != log_.end().lsn)
    return;  // the journal is behind
  // The log may bring a newer membership.
  if (!members().is_majority(verified_set())) {
    phase_ = Phase::collecting;
    return;
  }
  if (log_.end().lsn + log_.cost(0) > released() + settings_.layout.ring_bytes) return;
  role_ = Role::leader;
  renews_ = Ballot();
  reign_end_ = 0;
  committed_ = std::max(committed_, log_.stable().lsn);
  progress_at_ = now_;
  orphan_since_ = Instant::never();
  starved_ = false;
  admit_all();
  open_reign(memory);
}

// The first entry of a reign is placed once a majority has the log before it, so that a reign in which nobody
// could be written to leaves nothing behind.
void CftCore::open_reign(const OwnMemory& memory) {
  if (accepted_by_majority(false) < log_.end().lsn) return;
  reign_end_ = log_.end().lsn + log_.cost(0);
  place(0, EntryKind::reign, {}, memory);
}

// Asks for a later reign without leaving the lead to anybody: others see the old reign until the new one is
// there, and grant. Nobody else writes own log meanwhile, so what was placed stays where it is and is decided
// with the first entry of the new reign. Only if somebody has led in between is it given up.
void CftCore::renew() {
  next_renewal_ = now_ + settings_.poll_interval * renewals_apart;
  refuse_reads();
  renews_ = ballot_;
  stable_word_due_ = Instant::never();
  for (Peer& peer : peers_) peer.admitted = false;
  become_candidate();
}

void CftCore::step_down() {
  if (role_ == Role::leader || renews_.value != 0) {
    effects_->push_back(Deposed{log_.stable().lsn});
    refuse_reads();
  }
  renews_ = Ballot();
  role_ = Role::follower;
  ballot_ = Ballot();
  caught_up_ = false;
  stable_word_due_ = Instant::never();
  for (Peer& peer : peers_) {
    peer.admitted = peer.verified = false;
    if (peer.log_sources > 0) reset(peer);
  }
}

// Leaves the lead to others for a while.
void CftCore::rest() {
  resting_until_ = now_ + settings_.rest;
  stalls_ = std::min(stalls_ + 1, stall_doublings_max);
  eased_at_ = now_;
  step_down();
}

// Whoever leads, or tries to, and does not move forward shares the fate of the dead (Mu, section 4.1). Each
// stall has twice the time of the one before, for a while, so that disks and links which are slower than
// stall_after end the stalls: else each reign would leave its first entry in the ring until it is full.
void CftCore::watch_progress() {
  if (stalls_ > 0 && now_ - eased_at_ > settings_.stall_after * stalls_eased_after) {
    --stalls_;
    eased_at_ = now_;
  }
  const Duration patience = settings_.stall_after * (std::int64_t{1} << stalls_);
  if (role_ == Role::candidate) {
    if (now_ - progress_at_ > patience) rest();
    return;
  }
  if (role_ != Role::leader) return;
  const bool waits = log_.undecided() > 0 || reign_end_ == 0 || reads_answered_ < reads_asked_;
  if (waits && now_ - progress_at_ > patience) {
    rest();
    return;
  }
  ProcessSet promised = 1ULL << self_.value;
  bool orphans = false;
  for (const Peer& peer : peers_) {
    if (!peer.known || !members().has(index_of(peer))) continue;
    if (peer.card.promise <= ballot_) {
      promised |= 1ULL << index_of(peer).value;
    } else if (peer.score.alive() && !is_asked_for(peer.card.promise)) {
      orphans = true;
    }
  }
  orphan_since_ = orphans ? std::min(orphan_since_, now_) : Instant::never();
  if (!members().is_majority(promised)) {
    step_down();
  } else if (orphans && now_ - orphan_since_ > settings_.poll_interval * orphan_after &&
             now_ >= next_renewal_) {
    renew();
  }
}

// A live member that promised a later reign is an orphan once nobody asks for that any more: it is taken in
// again by a reign later still. While somebody asks, the reign may come about, and a leader that renewed its
// lead would only be outbid, and so on.
bool CftCore::is_asked_for(Ballot reign) const {
  const ProcessIndex candidate = leader_of(reign);
  if (candidate == self_ || candidate.value >= peers_.size()) return false;
  const Peer& peer = peers_[candidate.value];
  return peer.known && peer.score.alive() && peer.card.request == reign;
}

// A leader that gets less than a quarter of what is asked of it decided, for two windows of its reign, is
// replaced. Time without a leader is nobody's fault, and neither is the window in which a reign began.
void CftCore::watch_demand() {
  if (now_ < window_end_) return;
  const std::optional<ProcessIndex> leader = view();
  const Ballot reign = leader && *leader != self_ ? peers_[leader->value].card.reign : Ballot();
  const bool slow = demand_ >= settings_.demand_min && decided_ < demand_ / 4;
  slow_windows_ = slow && reign == watched_reign_ ? slow_windows_ + 1 : 0;
  watched_reign_ = reign;
  demand_ = decided_ = 0;
  window_end_ = now_ + settings_.demand_window;
  if (slow_windows_ < 2 || reign.value == 0) return;
  slow_windows_ = 0;
  accuse(reign);
}

void CftCore::accuse(Ballot reign) {
  if (reign <= accused_) return;
  accused_ = reign;
  const Instant until = now_ + settings_.demand_window * 8;
  const ProcessIndex leader = leader_of(reign);
  if (leader == self_) {
    resting_until_ = std::max(resting_until_, until);
    if (role_ == Role::leader) step_down();
  } else if (leader.value < peers_.size()) {
    peers_[leader.value].accused_until = until;
  }
}

}  // namespace mallard::rsm::cft
