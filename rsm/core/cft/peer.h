// What a CFT core knows of one other replica.
#pragma once

#include <cstdint>

#include "config/base/time.h"
#include "rsm/core/cft/card.h"
#include "rsm/core/cft/pull_score.h"

namespace mallard::rsm::cft {

struct Peer {
  // The link to it.
  bool up = false;
  Instant reset_at;               // while it is not up: since when it should come up
  std::uint16_t generation = 0;   // of the link; reports of older ones do not matter
  std::uint32_t outstanding = 0;  // works posted and not reported
  std::uint32_t log_sources = 0;  // those that may still read own log memory
  bool card_out = false;          // a card to it is outstanding
  bool card_due = true;           // it does not know yet what we last changed
  bool look_out = false;          // a look at its heartbeat is outstanding
  Instant look_since;             // when that was posted
  std::uint64_t look_number = 0;  // of that; looks are numbered

  // What it said.
  Card card;                    // the newest
  bool known = false;           // `card` is one
  bool looked = false;          // a look at its present life came back
  std::uint64_t mail_beat = 0;  // of the last card taken out of the mail
  std::uint64_t look_beat = 0;  // of the last look
  PullScore score;
  Instant accused_until;  // found too slow as a leader

  // While this replica is a candidate.
  bool verified = false;  // granted, and seen alive in that grant after enough had granted

  // While this replica leads.
  bool admitted = false;  // gets everything that is appended
  bool told_caught_up = false;
  Lsn sent = 0;   // its log was ordered to have ours up to here
  Lsn acked = 0;  // its log has ours up to here
  Lsn told_stable = 0;
  std::uint32_t controls_out = 0;  // control writes that are not reported
  std::uint64_t confirmed =
      0;                      // reads up to here: what was posted after they came was written under its grant
  std::uint64_t carried = 0;  // reads that the write of entries up to carried_to will confirm
  Lsn carried_to = 0;
  Instant slow_since = Instant::never();  // since when it alone holds up the ring
};

}  // namespace mallard::rsm::cft
