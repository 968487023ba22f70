// What a leader does: takes followers in, writes to them, counts, keeps within the rings.
#include <algorithm>
#include <array>

#include "config/base/invariant.h"
#include "rsm/core/cft/cft_core.h"

namespace mallard::rsm::cft {

void CftCore::admit_all() {
  for (Peer& peer : peers_) admit(peer);
}

// Whoever granted this reign gets the log from its last decided entry on; bytes that it has already are
// written again as they are.
void CftCore::admit(Peer& peer) {
  if (role_ != Role::leader || index_of(peer) == self_ || !peer.known || !peer.up) return;
  if (!peer.admitted) {
    const Card& card = peer.card;
    if (card.promise != ballot_ || card.grant.value == 0 || !peer.score.alive()) return;
    if (card.stable < tail() || card.stable > log_.end().lsn) return;
    peer.admitted = true;
    peer.told_caught_up = false;
    peer.sent = peer.acked = card.stable;
    peer.told_stable = 0;
    peer.confirmed = peer.carried = 0;
    peer.slow_since = Instant::never();
  }
  replicate(peer);
}

// Writes under way may still read own log memory: they are given up with the link.
void CftCore::dismiss(Peer& peer) {
  peer.admitted = false;
  if (peer.log_sources > 0) reset(peer);
}

void CftCore::replicate(Peer& peer) {
  const memory::GrantNumber grant = peer.card.grant;
  while (peer.admitted && has_room(peer, 4) && effects_->room() > effects_reserve) {
    const Lsn limit = std::min(log_.end().lsn, peer.card.credit);
    if (peer.sent >= limit) break;
    const std::uint64_t bytes = std::min({limit - peer.sent, settings_.layout.until_wrap(peer.sent),
                                          settings_.layout.chunk_bytes / entry_alignment * entry_alignment});
    const std::uint64_t offset = settings_.layout.log_offset(peer.sent);
    peer.sent += bytes;
    ++peer.log_sources;
    carry_reads(peer);
    post(peer, WorkTag::entries, peer.sent / entry_alignment,
         {.region = log_region,
          .offset = offset,
          .bytes = bytes,
          .grant = grant,
          .source = Post::Source::log,
          .local_offset = offset});
  }
  if (peer.admitted && !peer.told_caught_up && peer.sent == log_.end().lsn) tell_control(peer);
}

// What lies behind the log in a follower's ring may be of an older leader and continue it: only once the
// first entry of this reign is in its place is the follower told to read.
void CftCore::tell_control(Peer& peer) {
  if (!peer.admitted || reign_end_ == 0 || peer.sent < log_.stable().lsn || !has_room(peer, 1)) return;
  if (peer.sent == log_.end().lsn) peer.told_caught_up = true;
  if (!peer.told_caught_up) return;
  peer.told_stable = log_.stable().lsn;
  ++peer.controls_out;
  post(peer, WorkTag::control, reads_asked_,
       {.region = log_region,
        .offset = stable_word,
        .bytes = 2 * memory::word_bytes,
        .grant = peer.card.grant,
        .source = Post::Source::words,
        .words = {log_.stable().lsn, ballot_.value}});
}

// Followers learn what is decided from the next entry; when none comes, from the control word.
void CftCore::tell_stable() {
  stable_word_due_ = Instant::never();
  if (role_ != Role::leader || piggybacked_ >= log_.stable().lsn) return;
  for (Peer& peer : peers_) {
    if (!peer.admitted || peer.told_stable >= log_.stable().lsn) continue;
    tell_control(peer);
    if (peer.told_stable < log_.stable().lsn) stable_word_due_ = now_ + settings_.stable_word_delay;
  }
}

// The highest value that a majority of the members has reached.
template <class ValueOf>
std::uint64_t CftCore::reached_by_majority(std::uint64_t own, ValueOf value_of) const {
  const Members members = this->members();
  std::array<std::uint64_t, memory::processes_max> reached{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (!members.has(memory::ProcessIndex(static_cast<std::uint16_t>(i)))) continue;
    const Peer& peer = peers_[i];
    const bool counts = peer.admitted && !peer.card.is(Card::recovering);
    const std::uint64_t has = i == self_.value ? own : counts ? value_of(peer) : 0;
    std::size_t at = count++;
    while (at > 0 && reached[at - 1] < has) {
      reached[at] = reached[at - 1];
      --at;
    }
    reached[at] = has;
  }
  return count < members.majority() ? 0 : reached[members.majority() - 1];
}

// The highest position that a majority of the members has accepted.
Lsn CftCore::accepted_by_majority(bool durable) const {
  return reached_by_majority(durable ? own_persisted() : log_.end().lsn, [durable](const Peer& peer) {
    if (!durable) return peer.acked;
    return peer.card.is(Card::caught_up) ? std::min(peer.card.persisted, peer.acked) : 0;
  });
}

// ---- Reads without an entry: a write that was posted after a read came and that succeeded proves that its
// follower had granted nobody else until then. Entries on their way are such writes; else the control words
// are.

// The entries that are being posted confirm the reads that came so far, if no earlier ones are about to.
void CftCore::carry_reads(Peer& peer) const {
  if (peer.carried > peer.confirmed) return;
  peer.carried = reads_asked_;
  peer.carried_to = peer.sent;
}

// Reads that come while a round is under way share the next one.
void CftCore::confirm_reads() {
  if (reads_answered_ == reads_asked_) return;
  for (Peer& peer : peers_) {
    const bool under_way = peer.controls_out > 0 || peer.carried > peer.confirmed;
    if (peer.admitted && peer.confirmed < reads_asked_ && !under_way) tell_control(peer);
  }
  if (reign_end_ == 0 || log_.stable().lsn < reign_end_) return;  // what was decided before is not known yet
  const std::uint64_t confirmed =
      reached_by_majority(reads_asked_, [](const Peer& peer) { return peer.confirmed; });
  if (confirmed <= reads_answered_) return;
  reads_answered_ = confirmed;
  if (log_.undecided() == 0) progress_at_ = now_;
  effects_->push_back(ReadAt{confirmed, log_.stable().lsn});
}

void CftCore::refuse_reads() {
  if (reads_answered_ == reads_asked_) return;
  reads_answered_ = reads_asked_;
  effects_->push_back(ReadsRefused{reads_asked_});
}

// Only an entry of this reign is decided by counting; what is older is decided with it (Raft, section 5.4.2).
void CftCore::count_acceptances() {
  if (role_ != Role::leader || reign_end_ == 0) return;
  const Lsn replicated = accepted_by_majority(false);
  if (replicated >= reign_end_) committed_ = std::max(committed_, replicated);
  const Lsn accepted = settings_.durability == Durability::disk ? accepted_by_majority(true) : replicated;
  if (accepted < reign_end_ || accepted <= log_.stable().lsn) return;
  decide(accepted);
  if (!members().has(self_) && !pending_) step_down();  // removed, and that is decided
}

// What is appended must end by here: no ring may lose what is still needed of it.
Lsn CftCore::room_limit() const {
  Lsn oldest = released();
  for (const Peer& peer : peers_) {
    if (peer.admitted) oldest = std::min(oldest, peer.acked);
  }
  return oldest + settings_.layout.ring_bytes;
}

// A quarter of the ring is left for the first entries of reigns, which must fit whatever is undecided.
std::optional<Refusal> CftCore::refusal(std::uint64_t payload) const {
  if (role_ != Role::leader) return Refusal::not_leader;
  if (payload > settings_.payload_bytes_max) return Refusal::too_large;
  const bool full = reign_end_ == 0 || log_.undecided() + 2 > settings_.window_entries / 2 ||
                    pending_tickets_.size() + 1 >= tickets_max ||
                    log_.end().lsn + log_.cost(payload) + settings_.layout.ring_bytes / 4 > room_limit();
  return full ? std::optional(Refusal::no_room) : std::nullopt;
}

void CftCore::on(const Propose& fact, const OwnMemory& memory) {
  if (const auto why = refusal(fact.payload.size())) {
    starved_ = starved_ || *why == Refusal::no_room;
    effects_->push_back(Refused{fact.proposal, *why});
    return;
  }
  place(fact.proposal, EntryKind::command, fact.payload, memory);
}

void CftCore::on(const ProposeMember& fact, const OwnMemory& memory) {
  auto why = refusal(members_bytes);
  const bool known = fact.replica.value < peers_.size();
  const Members next = members_.changed(memory::ProcessIndex(known ? fact.replica.value : 0), fact.add);
  if (!why &&
      (!known || pending_ || log_.stable().lsn < reign_end_ || next.set == members_.set || next.set == 0)) {
    why = Refusal::busy;
  } else if (!why && !reaches_majority_of(next)) {
    why = Refusal::no_majority;
  }
  if (why) {
    effects_->push_back(Refused{fact.proposal, *why});
    return;
  }
  std::array<std::byte, members_bytes> payload{};
  encode_members(next, payload);
  place(fact.proposal, EntryKind::members, payload, memory);
}

bool CftCore::reaches_majority_of(const Members& members) const {
  memory::ProcessSet reached = 1ULL << self_.value;
  for (const Peer& peer : peers_) {
    const bool follows = peer.admitted && peer.up && peer.score.alive() && !peer.card.is(Card::recovering);
    if (follows && peer.acked >= reign_end_) reached |= 1ULL << index_of(peer).value;
  }
  return members.is_majority(reached);
}

void CftCore::place(ProposalId proposal, EntryKind kind, ByteView payload, const OwnMemory& memory) {
  if (log_.undecided() == 0) progress_at_ = now_;
  const LogMark end = log_.append(memory.log, kind, ballot_, payload);
  credit_ = std::max(credit_, end.lsn);
  piggybacked_ = log_.stable().lsn;
  if (kind == EntryKind::members) pending_ = {*decode_members(payload), end.lsn};
  if (kind != EntryKind::reign) effects_->push_back(Placed{proposal, end.lsn});
  for (Peer& peer : peers_) {
    if (peer.admitted) replicate(peer);
  }
  order_journal();
  if (members().majority() == 1) count_acceptances();
}

// A follower that alone keeps the ring from being used on is left behind after a while, if a majority is
// left.
void CftCore::watch_slow_followers() {
  if (role_ != Role::leader) return;
  const bool starved = starved_;
  starved_ = false;
  const std::uint64_t ring = settings_.layout.ring_bytes;
  memory::ProcessSet admitted = 1ULL << self_.value;
  for (const Peer& peer : peers_) {
    if (peer.admitted) admitted |= 1ULL << index_of(peer).value;
  }
  for (Peer& peer : peers_) {
    if (!peer.admitted) continue;
    const bool holds_up = starved && log_.end().lsn - peer.acked > ring / 2;
    if (!holds_up) {
      if (log_.end().lsn - peer.acked <= ring / 2) peer.slow_since = Instant::never();
      continue;
    }
    peer.slow_since = std::min(peer.slow_since, now_);
    const memory::ProcessSet rest = admitted & ~(1ULL << index_of(peer).value);
    if (now_ - peer.slow_since > settings_.lag_patience && members().is_majority(rest)) {
      admitted = rest;
      dismiss(peer);
      peer.card.grant = memory::GrantNumber();  // until it tells its grant again
    }
  }
}

}  // namespace mallard::rsm::cft
