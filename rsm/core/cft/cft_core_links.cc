// Works and links: posting, reports, heartbeats, cards that came in.
#include <algorithm>

#include "config/base/invariant.h"
#include "rsm/core/cft/cft_core.h"

namespace mallard::rsm::cft {

using memory::WorkKind;

memory::ProcessIndex CftCore::index_of(const Peer& peer) const {
  return memory::ProcessIndex(static_cast<std::uint16_t>(&peer - peers_.data()));
}

// tag : 4 | link generation : 12 | value : 48
memory::WorkId CftCore::work_id(WorkTag tag, const Peer& peer, std::uint64_t value) const {
  return memory::WorkId(static_cast<std::uint64_t>(tag) << 60 |
                        (std::uint64_t{peer.generation} & 0xfffU) << 48 | (value & 0xffff'ffff'ffffULL));
}

bool CftCore::has_room(const Peer& peer, std::uint32_t works) const {
  return peer.up && peer.outstanding + works <= settings_.link_depth;
}

void CftCore::post(Peer& peer, WorkTag tag, std::uint64_t value, Post work) {
  work.to = index_of(peer);
  work.id = work_id(tag, peer, value);
  ++peer.outstanding;
  effects_->push_back(work);
}

void CftCore::post_card(Peer& peer) {
  if (peer.card_out || !has_room(peer, 1)) return;
  peer.card_out = true;
  peer.card_due = false;
  ++beat_;
  post(peer, WorkTag::card, 0,
       {.region = mail_region,
        .offset = MemoryLayout::mail_offset(self_),
        .bytes = card_bytes,
        .source = Post::Source::card});
}

void CftCore::post_look(Peer& peer) {
  if (peer.look_out || !has_room(peer, 1)) return;
  peer.look_out = true;
  peer.look_since = now_;
  peer.look_number = ++looks_;
  post(peer, WorkTag::look, peer.look_number,
       {.kind = WorkKind::read,
        .region = status_region,
        .bytes = card_bytes,
        .local_offset = MemoryLayout::pulled_offset(index_of(peer))});
}

// Through the link to itself: a replica whose network does not serve it does not beat.
void CftCore::post_status() {
  Peer& own = peers_[self_.value];
  if (own.card_out || !has_room(own, 1)) return;
  own.card_out = true;
  ++beat_;
  status_writing_ = promise_;
  post(own, WorkTag::status, 0, {.region = status_region, .bytes = card_bytes, .source = Post::Source::card});
}

void CftCore::reset(Peer& peer) {
  peer.up = false;
  peer.reset_at = now_;
  ++peer.generation;
  peer.outstanding = peer.log_sources = 0;
  peer.card_due = true;
  peer.card_out = peer.look_out = false;
  peer.sent = peer.acked;
  peer.told_stable = 0;
  peer.told_caught_up = false;
  peer.controls_out = 0;
  peer.carried = 0;
  if (&peer == &peers_[self_.value]) status_writing_ = Ballot();
  if (fetch_out_ && source_ == index_of(peer)) fetch_out_ = false;
  if (role_ == Role::candidate && phase_ == Phase::fetching && source_ == index_of(peer)) {
    phase_ = Phase::collecting;
  }
  effects_->push_back(ResetLink{index_of(peer)});
}

void CftCore::completed(Peer& peer, WorkTag tag, std::uint64_t value, const OwnMemory& memory) {
  switch (tag) {
    case WorkTag::entries:
      --peer.log_sources;
      if (peer.admitted) {
        peer.acked = std::max(peer.acked, value * entry_alignment);
        if (peer.acked >= peer.carried_to) peer.confirmed = std::max(peer.confirmed, peer.carried);
        replicate(peer);
        count_acceptances();
      }
      break;
    case WorkTag::control:
      --peer.controls_out;
      if (peer.admitted) peer.confirmed = std::max(peer.confirmed, value);
      break;
    case WorkTag::card:
      peer.card_out = false;
      break;
    case WorkTag::status:
      peer.card_out = false;
      status_promise_ = status_writing_;
      if (status_promise_ != promise_) post_status();
      break;
    case WorkTag::look:
      looked(peer, memory);
      break;
    case WorkTag::fetch:
      fetched(value, memory);
      break;
  }
}

void CftCore::looked(Peer& peer, const OwnMemory& memory) {
  peer.look_out = false;
  const ByteView bytes = memory.scratch.subspan(MemoryLayout::pulled_offset(index_of(peer)), card_bytes);
  const std::uint64_t beat = memory::load_word(bytes, 0);
  const auto card = decode_card(bytes);
  const bool reborn = card && peer.known && card->incarnation != peer.card.incarnation;
  peer.score.look(peer.look_since, beat != peer.look_beat || reborn, settings_.poll_interval * slowest_beat);
  peer.look_beat = beat;
  if (card) {
    absorb(peer, *card);
    peer.looked = peer.looked || card->incarnation == peer.card.incarnation;
    if (role_ == Role::candidate && phase_ == Phase::verifying && peer.look_number > verify_after_ &&
        card->incarnation == peer.card.incarnation && card->promise == ballot_) {
      peer.verified = true;
    }
  }
  if (role_ == Role::candidate && phase_ == Phase::verifying && !peer.verified) post_look(peer);
}

// Cards of one life are ordered by their beats; of an older life none counts.
void CftCore::absorb(Peer& peer, const Card& card) {
  if (peer.known && card.incarnation == peer.card.incarnation && card.beat <= peer.card.beat) return;
  if (peer.known && card.incarnation < peer.card.incarnation) return;
  if (peer.known && card.incarnation > peer.card.incarnation) {
    peer.looked = peer.verified = false;
    peer.card_due = true;
    if (peer.admitted) dismiss(peer);
  }
  peer.card = card;
  peer.known = true;
  if (card.accused > accused_) accuse(card.accused);
  if (role_ != Role::leader) return;
  if (peer.admitted && (card.promise != ballot_ || card.grant.value == 0)) dismiss(peer);
  if (card.reign > ballot_) {
    step_down();
    return;
  }
  admit(peer);
  if (settings_.durability == Durability::disk || card.is(Card::caught_up)) count_acceptances();
}

// One look at everybody's heartbeat; what is late counts as not changed, so that a host that died is noticed
// without waiting for its link to fail.
void CftCore::look_around() {
  for (Peer& peer : peers_) {
    if (!peer.up && now_ - peer.reset_at >= settings_.relink_after) reset(peer);
  }
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (i == self_.value) continue;
    Peer& peer = peers_[i];
    const bool was_alive = peer.score.alive();
    if (!peer.up || (peer.look_out && now_ - peer.look_since > settings_.stale_after)) {
      peer.score.sample(false);
    } else if (!peer.look_out) {
      post_look(peer);
    }
    if (was_alive && !peer.score.alive() && role_ == Role::leader && peer.admitted) dismiss(peer);
    // Works that hang keep own log memory busy; they are given up.
    if (!peer.score.alive() && peer.up && peer.outstanding > 0 && peer.look_out &&
        now_ - peer.look_since > settings_.stale_after * 16) {
      reset(peer);
    } else if (peer.score.alive() && role_ == Role::leader) {
      admit(peer);
    }
  }
}

}  // namespace mallard::rsm::cft
