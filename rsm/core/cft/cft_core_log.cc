// Own log: reading what the leader wrote, the journal, what is decided, how far others may write.
#include <algorithm>

#include "config/base/invariant.h"
#include "rsm/core/cft/cft_core.h"

namespace mallard::rsm::cft {

// A follower trusts nothing in its ring before its leader says that all of it is there: what lies there may
// be of an earlier leader and be overwritten. What the word says holds for all that its link carried before
// (R1).
void CftCore::follow(const OwnMemory& memory) {
  watch_distance();
  if (switching_ || grant_.value == 0 || leader_of(promise_) == self_) return;
  if (!caught_up_) {
    if (memory::load_word(memory.log, caught_up_word) != promise_.value) return;
    caught_up_ = true;
    log_.reread();
    pending_.reset();
    if (recovering_) recover_to_ = log_.walk(memory.log, log_.stable(), promise_, credit_).lsn;
  }
  stable_hint_ = std::max(stable_hint_, memory::load_word(memory.log, stable_word));
  while (read_more(memory, promise_)) {
  }
  const Lsn safe = settings_.durability == Durability::disk ? own_persisted() : log_.end().lsn;
  if (recovering_ && safe >= recover_to_) recovering_ = false;
}

// True if the window was full and there may be more to read.
bool CftCore::read_more(const OwnMemory& memory, Ballot newest) {
  const auto when_full = log_.full() ? EntryLog::WhenFull::share : EntryLog::WhenFull::stop;
  const Lsn before = log_.end().lsn;
  while (const auto entry = log_.read_next(memory.log, newest, credit_, when_full)) {
    if (entry->kind == EntryKind::members) {
      if (const auto members = decode_members(entry->payload)) pending_ = {*members, entry->end().lsn};
    }
    stable_hint_ = std::max(stable_hint_, entry->commit);
  }
  order_journal();
  const bool was_full = log_.full();
  decide(std::min(stable_hint_, log_.end().lsn));
  return was_full && log_.end().lsn != before;
}

void CftCore::order_journal() {
  if (role_ == Role::follower && !caught_up_) return;
  if (pending_tickets_.size() + 1 >= tickets_max) return;  // one place is for a promise
  const EntryLog::Range range = log_.take_unjournaled();
  if (range.from == range.to) return;
  // From where the journal is told anew it has not what it had.
  persisted_ = std::min(persisted_, range.from);
  for (PendingTicket& pending : pending_tickets_) pending.to = std::min(pending.to, range.from);
  pending_tickets_.push_back({++tickets_, range.to, Ballot()});
  effects_->push_back(PersistEntries{tickets_, range.from, range.to});
}

void CftCore::decide(Lsn lsn) {
  // The journal hears of entries before they leave the window.
  if (lsn > log_.journaled()) lsn = log_.journaled();
  const std::size_t decided = log_.decide(lsn);
  if (decided == 0) return;
  decided_ += decided;
  progress_at_ = now_;
  if (pending_ && pending_->end <= log_.stable().lsn) {
    members_ = pending_->members;
    pending_.reset();
  }
  if (role_ == Role::leader && stable_word_due_ == Instant::never()) {
    stable_word_due_ = now_ + settings_.stable_word_delay;
  }
}

// Own ring may be overwritten up to here, counted one ring further on.
Lsn CftCore::released() const { return std::min(applied_, persisted_); }

Lsn CftCore::own_persisted() const {
  if (!caught_up()) return std::min(persisted_, log_.stable().lsn);
  return std::min(persisted_, log_.journaled());
}

Lsn CftCore::tail() const noexcept {
  const std::uint64_t ring = settings_.layout.ring_bytes;
  return credit_ > ring ? std::max(tail_, credit_ - ring) : tail_;
}

// Credit grows only: a leader may have used it. It stays near to what has been read, so that a regrant has
// little to carry over.
void CftCore::update_credit() {
  const memory::ProcessIndex leader = leader_of(promise_);
  if (promise_.value == 0 || leader == self_ || leader.value >= peers_.size()) return;
  Lsn reach = std::max(log_.end().lsn, grant_end_.lsn);
  const Peer& peer = peers_[leader.value];
  if (peer.known && peer.card.reign == promise_) reach = std::max(reach, peer.card.end);
  const Lsn limit = std::min(released() + settings_.layout.ring_bytes, reach + settings_.credit_bytes);
  credit_ = std::max(credit_, limit / entry_alignment * entry_alignment);
}

// What this replica lacks is in no ring of the leader's any more. A follower that had caught up may be told
// of decisions late; one that was left behind is not told at all.
void CftCore::watch_distance() {
  const memory::ProcessIndex leader = leader_of(promise_);
  if (needs_snapshot_ || promise_.value == 0 || leader == self_ || leader.value >= peers_.size()) return;
  const Peer& peer = peers_[leader.value];
  if (!peer.known || peer.card.reign != promise_ || peer.card.tail <= log_.stable().lsn) {
    behind_since_ = Instant::never();
    return;
  }
  behind_since_ = std::min(behind_since_, now_);
  if (caught_up_ && now_ - behind_since_ <= settings_.lag_patience) return;
  needs_snapshot_ = true;
  behind_since_ = Instant::never();
  effects_->push_back(NeedSnapshot{leader, peer.card.tail});
}

}  // namespace mallard::rsm::cft
