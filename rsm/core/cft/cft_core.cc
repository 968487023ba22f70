#include "rsm/core/cft/cft_core.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <variant>

#include "config/base/invariant.h"
#include "config/base/prng.h"

namespace mallard::rsm::cft {

CftCore::CftCore(const CftSettings& settings)
    : settings_(settings),
      self_(settings.self),
      log_(settings.layout, settings.window_entries, settings.start.stable),
      peers_(settings.layout.processes),
      members_(settings.start.members),
      promise_(settings.start.promise),
      grant_end_(settings.start.stable),
      tail_(settings.start.tail),
      applied_(settings.start.stable.lsn),
      persisted_(settings.start.stable.lsn),
      stable_hint_(settings.start.stable.lsn),
      recovering_(settings.start.lost),
      committed_(settings.start.stable.lsn) {
  MALLARD_INVARIANT(self_.value < peers_.size() && settings.start.incarnation.value != 0);
  MALLARD_INVARIANT(settings.window_entries >= 8 && settings.link_depth >= 8);
  settings_.fit_ring();
  told_ = {committed_, committed_};
  told_members_ = members_;
  pending_tickets_.reserve(tickets_max);
}

void CftCore::step(const Event& event, Instant now, Effects& effects) noexcept {
  now_ = now;
  effects_ = &effects;
  if (!begun_) begin(event.memory);
  std::visit([&](const auto& fact) { on(fact, event.memory); }, event.fact);
  if (role_ == Role::follower) follow(event.memory);
  if (role_ == Role::candidate) run_candidacy(event.memory);
  if (role_ == Role::leader && reign_end_ == 0) open_reign(event.memory);
  settle();
  effects_ = nullptr;
}

void CftCore::on_deadline(Instant now, Effects& effects) noexcept {
  now_ = now;
  effects_ = &effects;
  if (now_ >= stable_word_due_) tell_stable();
  if (begun_ && now_ >= next_tick_) {
    next_tick_ = now_ + settings_.poll_interval;
    look_around();
    watch_progress();
    watch_demand();
    watch_slow_followers();
    post_status();
  }
  settle();
  effects_ = nullptr;
}

Instant CftCore::next_deadline() const noexcept { return std::min(next_tick_, stable_word_due_); }

// The journal's log lies in the ring: it is read before anything else happens.
void CftCore::begin(const OwnMemory& memory) {
  begun_ = true;
  next_tick_ = now_;
  progress_at_ = now_;
  window_end_ = now_ + settings_.demand_window;
  credit_ = log_.stable().lsn + settings_.layout.ring_bytes;
  for (Peer& peer : peers_) peer.reset_at = now_;
  for (Lsn before = UINT64_MAX; before != log_.end().lsn;) {
    before = log_.end().lsn;
    const auto when_full = log_.full() ? EntryLog::WhenFull::share : EntryLog::WhenFull::stop;
    while (const auto entry = log_.read_next(memory.log, promise_, credit_, when_full)) {
      if (entry->kind == EntryKind::members) {
        if (const auto members = decode_members(entry->payload)) pending_ = {*members, entry->end().lsn};
      }
      stable_hint_ = std::max(stable_hint_, entry->commit);
    }
    log_.trust_journal();
    persisted_ = log_.end().lsn;
    decide(std::min(stable_hint_, log_.end().lsn));
  }
  grant_end_ = log_.end();
  credit_ = log_.end().lsn;
}

void CftCore::on(const Polled& /*fact*/, const OwnMemory& memory) {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (i == self_.value) continue;
    Peer& peer = peers_[i];
    const std::uint64_t place =
        MemoryLayout::mail_offset(memory::ProcessIndex(static_cast<std::uint16_t>(i)));
    if (memory::load_word(memory.mail, place) == peer.mail_beat) continue;
    std::array<std::byte, card_bytes> copy{};
    for (std::size_t at = 0; at < card_bytes; at += memory::word_bytes) {
      const std::uint64_t word = memory::load_word(memory.mail, place + at);
      ByteWriter(ByteSpan(copy).subspan(at)).write(word);
    }
    const auto card = decode_card(copy);
    if (!card) continue;
    peer.mail_beat = card->beat;
    absorb(peer, *card);
  }
}

void CftCore::on(const Completed& fact, const OwnMemory& memory) {
  if (fact.to.value >= peers_.size()) return;
  Peer& peer = peers_[fact.to.value];
  const std::uint64_t id = fact.done.id.value;
  if (((id >> 48) & 0xfffU) != (peer.generation & 0xfffU) || !peer.up) return;  // of a link that was reset
  if (fact.done.status != memory::WorkStatus::ok) {
    if (fact.done.status == memory::WorkStatus::fenced) {  // it granted somebody else, or began anew
      peer.admitted = false;
      peer.card.grant = memory::GrantNumber();
    }
    reset(peer);
    peer.score.sample(false);
    return;
  }
  MALLARD_INVARIANT(peer.outstanding > 0);
  --peer.outstanding;
  completed(peer, static_cast<WorkTag>(id >> 60), id & 0xffff'ffff'ffffULL, memory);
}

void CftCore::on(const LinkUp& fact, const OwnMemory& /*memory*/) {
  if (fact.to.value >= peers_.size()) return;
  Peer& peer = peers_[fact.to.value];
  peer.up = true;
  peer.card_due = true;
  if (fact.to == self_) {
    post_status();
  } else if (role_ == Role::leader) {
    admit(peer);
  }
}

void CftCore::on(const Regranted& fact, const OwnMemory& memory) {
  if (switching_) regranted(fact.grant, memory);
}

void CftCore::on(const Demand& fact, const OwnMemory& /*memory*/) { demand_ += fact.requests; }

void CftCore::on(const AskRead& fact, const OwnMemory& /*memory*/) {
  if (log_.undecided() == 0 && reads_answered_ == reads_asked_) progress_at_ = now_;
  reads_asked_ = std::max(reads_asked_, fact.read);
  if (role_ != Role::leader) refuse_reads();
}

void CftCore::on(const Persisted& fact, const OwnMemory& /*memory*/) {
  std::size_t done = 0;
  while (done < pending_tickets_.size() && pending_tickets_[done].ticket <= fact.ticket) {
    const PendingTicket& pending = pending_tickets_[done++];
    if (pending.promise.value != 0) {
      promise_durable_ = promise_durable_ || pending.promise == promise_;
    } else {
      persisted_ = std::max(persisted_, pending.to);
    }
  }
  pending_tickets_.erase(pending_tickets_.begin(),
                         pending_tickets_.begin() + static_cast<std::ptrdiff_t>(done));
  order_journal();
  if (role_ == Role::leader) count_acceptances();
}

void CftCore::on(const Applied& fact, const OwnMemory& /*memory*/) {
  applied_ = std::max(applied_, std::min(fact.through, log_.stable().lsn));
}

void CftCore::on(const SnapshotInstalled& fact, const OwnMemory& /*memory*/) {
  if (fact.stable.lsn > log_.stable().lsn && role_ == Role::follower) {
    log_.restart(fact.stable);
    pending_.reset();
    members_ = fact.members;
    tail_ = fact.stable.lsn;
    applied_ = persisted_ = stable_hint_ = committed_ = fact.stable.lsn;
    for (PendingTicket& pending : pending_tickets_) pending.to = 0;
    credit_ = std::max(credit_, fact.stable.lsn);
    caught_up_ = false;
  }
  needs_snapshot_ = false;
}

// ---- What is told to whom.

CftCore::Announced CftCore::announcement() const {
  const Card card = own_card();
  return {card.promise, card.request, card.reign, card.accused, card.grant, card.flags, card.members};
}

Card CftCore::own_card() const {
  Card card;
  card.beat = beat_;
  card.incarnation = settings_.start.incarnation;
  card.promise = promise_;
  card.request = role_ == Role::follower ? Ballot() : ballot_;
  card.reign = claimed();
  card.grant = grant_ready() ? grant_ : memory::GrantNumber();
  card.end = role_ == Role::leader ? log_.end().lsn : grant_end_.lsn;
  card.last = role_ == Role::leader ? log_.end().ballot : grant_end_.ballot;
  card.stable = log_.stable().lsn;
  card.persisted = own_persisted();
  card.credit = credit_;
  card.tail = tail();
  card.members = newest_members();
  card.flags = (recovering_ ? Card::recovering : 0U) | (needs_snapshot_ ? Card::needs_snapshot : 0U) |
               (now_ < resting_until_ ? Card::resting : 0U) | (caught_up() ? Card::caught_up : 0U);
  card.accused = accused_;
  return card;
}

void CftCore::write_card(ByteSpan room) const noexcept { encode_card(own_card(), room); }

void CftCore::settle() {
  if (begun_) {
    update_credit();
    consider();
    if (role_ == Role::leader) confirm_reads();
  }
  tell_peers();
  tell_shell();
}

void CftCore::tell_peers() {
  const Announced announced = announcement();
  if (announced != announced_) {
    announced_ = announced;
    for (Peer& peer : peers_) peer.card_due = true;
    // Others learn of a promise from own memory before the candidate hears of it.
    if (status_writing_ != promise_) post_status();
  }
  // Progress is reported to the leader, credit only where it grew noticeably.
  const memory::ProcessIndex leader = leader_of(promise_);
  if (promise_.value != 0 && leader != self_ && leader.value < peers_.size() && caught_up_) {
    const bool persisted = settings_.durability == Durability::disk && own_persisted() != reported_.persisted;
    const std::uint64_t step = std::min(settings_.credit_bytes, settings_.layout.ring_bytes) / 4;
    if (persisted || credit_ >= reported_.credit + step || credit_ < reported_.credit) {
      reported_ = {own_persisted(), credit_};
      peers_[leader.value].card_due = true;
    }
  }
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (i != self_.value && peers_[i].card_due) post_card(peers_[i]);
  }
}

void CftCore::tell_shell() {
  const Lsn stable = log_.stable().lsn;
  const Advanced advanced{std::max(committed_, stable), stable};
  if (advanced.committed > told_.committed || advanced.durable > told_.durable) {
    told_ = advanced;
    effects_->push_back(advanced);
  }
  if (members() != told_members_ || (!pending_ && !told_decided_)) {
    told_members_ = members();
    told_decided_ = !pending_;
    effects_->push_back(MembersChanged{told_members_, told_decided_});
  }
  RoleChanged role{role_, role_ == Role::follower ? Ballot() : ballot_, self_};
  if (role_ == Role::follower) {
    for (const Peer& peer : peers_) {
      if (peer.known && peer.card.reign > role.ballot) {
        role.ballot = peer.card.reign;
        role.leader = leader_of(role.ballot);
      }
    }
  }
  if (role.role != told_role_.role || role.ballot != told_role_.ballot) {
    told_role_ = role;
    effects_->push_back(role);
  }
}

// Whatever decides what happens next, but for times, and but for numbers that are only compared with others:
// of cards, looks, tickets and links. Whoever keeps such a number of what is on its way has to look at that.
std::uint64_t CftCore::digest() const {
  std::uint64_t hash = log_.digest();
  const auto mix = [&](std::uint64_t value) { hash = Prng(hash ^ value).next(); };
  const auto mix_flags = [&](std::initializer_list<bool> flags) {
    std::uint64_t packed = 1;
    for (const bool flag : flags) packed = packed << 1 | (flag ? 1U : 0U);
    mix(packed);
  };
  const auto mix_card = [&](const Card& card) {
    for (const std::uint64_t word :
         {card.incarnation.value, card.promise.value, card.request.value, card.reign.value, card.grant.value,
          card.end, card.last.value, card.stable, card.persisted, card.credit, card.tail, card.members.set,
          std::uint64_t{card.members.epoch.value} << 32 | card.flags, card.accused.value}) {
      mix(word);
    }
  };
  mix_card(own_card());
  for (const Peer& peer : peers_) {
    mix_card(peer.card);
    mix_flags({peer.up, peer.card_out, peer.card_due, peer.look_out, peer.known, peer.looked, peer.verified,
               peer.admitted, peer.told_caught_up, peer.score.alive()});
    mix(peer.outstanding);
    mix(peer.look_number > verify_after_);
    mix(peer.sent);
    mix(peer.acked);
    mix(peer.told_stable);
    mix(std::uint64_t{peer.controls_out} << 32 ^ (reads_asked_ - peer.confirmed));
    mix(reads_asked_ - peer.carried);
    mix(peer.carried_to);
  }
  if (settings_.durability == Durability::disk) {
    for (const PendingTicket& pending : pending_tickets_) mix((tickets_ - pending.ticket) ^ pending.to << 20);
  }
  for (const std::uint64_t value : {promise_.value,
                                    grant_.value,
                                    grant_end_.lsn,
                                    std::uint64_t{grant_end_.chain},
                                    credit_,
                                    tail_,
                                    applied_,
                                    persisted_,
                                    stable_hint_,
                                    recover_to_,
                                    status_promise_.value,
                                    status_writing_.value,
                                    ballot_.value,
                                    renews_.value,
                                    fetch_at_,
                                    fetch_end_.lsn,
                                    reign_end_,
                                    committed_,
                                    piggybacked_,
                                    reads_asked_ - reads_answered_,
                                    members_.set,
                                    pending_ ? pending_->end : 0}) {
    mix(value);
  }
  mix(static_cast<std::uint64_t>(role_) << 8 | static_cast<std::uint64_t>(phase_));
  mix_flags({switching_, caught_up_, recovering_, needs_snapshot_, promise_durable_, fetch_out_});
  return hash;
}

}  // namespace mallard::rsm::cft
