// What the replicas of a cluster have seen of each other's stores. A disk that went back to an older copy of
// itself looks well to its own replica, which would vote and acknowledge as if it had promised nothing since:
// the others know better, and are asked first (reliability.md I9, O-1).
//
// What was seen lives in memory. It is lost where all others were started again while this replica was away.
#pragma once

#include <cstddef>
#include <vector>

#include "config/base/time.h"
#include "rsm/replica/peer_message.h"

namespace mallard::rsm {

class WitnessDesk {
 public:
  // `processes`: of the cluster, own place included.
  WitnessDesk(memory::ProcessIndex self, std::size_t processes);

  // It is told soon what was seen of it.
  void on_peer_up(memory::ProcessIndex peer);
  void on_message(memory::ProcessIndex from, const StoreSeen& message);
  // Tells whoever has not been told yet how far own store is, at once who came anew and the others from time
  // to time. `own` is empty until own store was compared with what the others saw: they would say back what
  // it is now, as if they had seen it before this start.
  void tell(const journal::Witness& own, PeerPort& peers, Instant now);

  // How many of the others have said what they saw.
  [[nodiscard]] std::size_t heard() const;
  [[nodiscard]] bool has_said(memory::ProcessIndex peer) const {
    return peer.value < peers_.size() && peers_[peer.value].has_said;
  }
  // Whether those who did make a majority with this replica.
  [[nodiscard]] bool has_heard_enough() const { return heard() >= peers_.size() / 2; }
  // The furthest that one of them has seen of own store; incarnation 0: nothing.
  [[nodiscard]] const journal::Witness& seen() const { return seen_; }

 private:
  struct Peer {
    journal::Witness store;  // the furthest
    journal::Witness told;   // of own store
    bool is_due = false;     // it came, and was told nothing yet
    bool has_said = false;
  };

  memory::ProcessIndex self_;
  std::vector<Peer> peers_;
  journal::Witness seen_;
  Instant next_round_;
};

}  // namespace mallard::rsm
