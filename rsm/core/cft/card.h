// What a replica tells about itself: it lies in the replica's own memory, where others read it (heartbeat),
// and is written into the mail of those who wait for something in it (requests, grants, acknowledgements).
//
// 16 words: the 15 below in order, and the CRC-32C over them. The first changes with every card, so whoever
// polls looks at one word; a card whose words are not all there yet fails its checksum and is read again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "config/base/ids.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/members.h"

namespace mallard::rsm::cft {

inline constexpr std::size_t card_bytes = 128;

struct Card {
  enum Flag : std::uint32_t {
    recovering = 1,      // lost its log and does not vote yet
    needs_snapshot = 2,  // what it lacks has been overwritten
    resting = 4,         // leads nothing for a while: it could not make progress
    caught_up = 8,       // has all that the leader of `promise` had when it took this replica in
  };

  std::uint64_t beat = 0;  // 1, 2, 3 ... in one incarnation
  Incarnation incarnation;
  Ballot promise;             // takes nothing from older leaders
  Ballot request;             // asks everybody for this promise; 0: does not
  Ballot reign;               // leads with it; 0: does not
  memory::GrantNumber grant;  // under which the leader of `promise` may write here; 0: not yet
  Lsn end = 0;                // of its log: with a grant, when it was given; of a leader, now
  Ballot last;                // of the entry before `end`
  Lsn stable = 0;             // its log up to here is decided
  Lsn persisted = 0;          // its journal has the log of the leader of `promise` up to here
  Lsn credit = 0;             // the leader may write up to here
  Lsn tail = 0;               // its ring has the log from here on
  Members members;            // the newest that it knows of
  std::uint32_t flags = 0;    // of Flag
  Ballot accused;             // the newest reign that somebody found too slow

  [[nodiscard]] bool is(Flag flag) const { return (flags & flag) != 0; }
};

void encode_card(const Card& card, ByteSpan room);
// Nothing if the checksum does not fit: torn, or not a card.
[[nodiscard]] std::optional<Card> decode_card(ByteView bytes);

}  // namespace mallard::rsm::cft
