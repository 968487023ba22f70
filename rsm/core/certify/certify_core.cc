#include "rsm/core/certify/certify_core.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "config/base/invariant.h"
#include "config/contract/protocol_core.h"

namespace mallard::rsm::certify {

static_assert(ProtocolCore<CertifyCore>);
static_assert(LinkCertifier::effects_max <= effects_per_step_max);

CertifyCore::CertifyCore(const CertifySettings& settings)
    : signers_{settings.roster, settings.self}, signers_max_(settings.signers_max) {
  MALLARD_INVARIANT(settings.roster.size() <= signers_max_ && signers_max_ <= replicas_max);
  MALLARD_INVARIANT(!settings.self || signers_.has(*settings.self));
  MALLARD_INVARIANT(settings.links.size() <= links_max);
  links_.reserve(settings.links.size());
  for (const LinkSettings& link : settings.links) {
    links_.emplace_back(settings, link);
  }
}

void CertifyCore::step(const Event& event, Instant now, Effects& effects) noexcept {
  MALLARD_INVARIANT(now >= now_ && effects.empty());
  now_ = now;
  std::visit([&](const auto& fact) { on(fact, effects); }, event);
}

void CertifyCore::on_deadline(Instant now, Effects& effects) noexcept {
  MALLARD_INVARIANT(now >= now_ && effects.empty());
  now_ = now;
  unfinished_ = false;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    unfinished_ = effects.room() < LinkCertifier::effects_max;
    if (unfinished_) return;
    links_[next_link_].on_deadline(turn(effects));
    next_link_ = (next_link_ + 1) % links_.size();
  }
}

Instant CertifyCore::next_deadline() const noexcept {
  Instant next = unfinished_ ? now_ : Instant::never();
  for (const LinkCertifier& link : links_) {
    next = std::min(next, link.next_deadline());
  }
  return next;
}

bool CertifyCore::accepts_batch(LinkIndex link) const { return at(link).accepts_batch(); }

void CertifyCore::on(const SharesArrived& event, Effects& effects) {
  LinkCertifier* link = find(event.context.link);
  link != nullptr ? link->shares_arrived(event, turn(effects)) : void(++foreign_messages_);
}

void CertifyCore::on(const SharesWanted& event, Effects& effects) {
  LinkCertifier* link = find(event.context.link);
  link != nullptr ? link->shares_wanted(event, turn(effects)) : void(++foreign_messages_);
}

void CertifyCore::on(const PeerUp& event, Effects& /*effects*/) {
  if (!signers_.has(event.peer)) return;
  for (LinkCertifier& link : links_) {
    link.peer_up(now_);
  }
}

void CertifyCore::on(const Released& event, Effects& effects) {
  if (LinkCertifier* link = find(event.link)) link->release(event, turn(effects));
}

void CertifyCore::on(const RosterChanged& event, Effects& /*effects*/) {
  MALLARD_INVARIANT(event.roster != nullptr && event.roster->size() <= signers_max_);
  MALLARD_INVARIANT(!event.self || event.self->value < event.roster->size());
  signers_ = {*event.roster, event.self};
  for (LinkCertifier& link : links_) {
    link.stop();
  }
}

LinkCertifier* CertifyCore::find(LinkIndex link) {
  const auto found = std::find_if(links_.begin(), links_.end(),
                                  [link](const LinkCertifier& each) { return each.link() == link; });
  return found == links_.end() ? nullptr : &*found;
}

LinkCertifier& CertifyCore::at(LinkIndex link) {
  LinkCertifier* found = find(link);
  MALLARD_INVARIANT(found != nullptr);
  return *found;
}

const LinkCertifier& CertifyCore::at(LinkIndex link) const {
  return const_cast<CertifyCore*>(this)->at(link);
}

}  // namespace mallard::rsm::certify
