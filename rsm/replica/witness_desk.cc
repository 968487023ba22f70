#include "rsm/replica/witness_desk.h"

#include <algorithm>

namespace mallard::rsm {
namespace {

constexpr Duration round_time = Duration::seconds(1);

// Within one incarnation both numbers only grow; a copy may be older in one of them.
void remember(journal::Witness& furthest, const journal::Witness& heard) {
  if (heard.incarnation > furthest.incarnation) {
    furthest = heard;
  } else if (heard.incarnation == furthest.incarnation) {
    furthest.generation = std::max(furthest.generation, heard.generation);
    furthest.records = std::max(furthest.records, heard.records);
  }
}

}  // namespace

WitnessDesk::WitnessDesk(memory::ProcessIndex self, std::size_t processes) : self_(self), peers_(processes) {}

void WitnessDesk::on_peer_up(memory::ProcessIndex peer) {
  if (peer.value < peers_.size()) {
    peers_[peer.value].is_due = true;
  }
}

void WitnessDesk::on_message(memory::ProcessIndex from, const StoreSeen& message) {
  if (from.value >= peers_.size() || from == self_) {
    return;
  }
  Peer& peer = peers_[from.value];
  peer.has_said = true;
  remember(peer.store, message.own);
  remember(seen_, message.yours);
}

void WitnessDesk::tell(const journal::Witness& own, PeerPort& peers, Instant now) {
  const bool is_round = now >= next_round_;
  if (is_round) {
    next_round_ = now + round_time;
  }
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    Peer& peer = peers_[i];
    const bool wants = peer.is_due || (is_round && peer.told != own);
    if (i == self_.value || !wants) {
      continue;
    }
    if (peers.send(memory::ProcessIndex(static_cast<std::uint16_t>(i)), StoreSeen{own, peer.store})) {
      peer.is_due = false;
      peer.told = own;
    }
  }
}

std::size_t WitnessDesk::heard() const {
  return static_cast<std::size_t>(std::ranges::count_if(peers_, &Peer::has_said));
}

}  // namespace mallard::rsm
