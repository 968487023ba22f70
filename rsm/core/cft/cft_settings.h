// What a CFT core is told at start.
#pragma once

#include <algorithm>
#include <cstdint>

#include "config/base/ids.h"
#include "config/base/time.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/members.h"
#include "rsm/core/cft/memory_layout.h"

namespace mallard::rsm::cft {

// When an entry counts as accepted by a replica (design 4.12).
enum class Durability : std::uint8_t {
  replicated,  // once it lies in the replica's memory
  disk,        // once the replica's journal has it, synced
};

// Where this replica stands when it begins, from its journal. Everything up to the highest `commit` that an
// entry of the journal carries is decided: the shell applies it and begins there. (The rest fits the ring: an
// entry ends at most one ring beyond its `commit`.) The shell has put the log from `tail` on, as far as the
// journal has it, into the ring of the log region before the first step.
struct StartPoint {
  Incarnation incarnation{1};  // of this life; never the same twice, never 0
  // The replica had a log in an earlier life and no longer has all of it, or, with Durability::replicated,
  // it had any earlier life: its memory was part of what was promised. It then neither votes, grants nor
  // acknowledges before it has read u+1 others.
  bool lost = false;
  Ballot promise;   // durable, 0 if none
  LogMark stable;   // the log up to here is decided and applied (a snapshot, or the beginning)
  Lsn tail = 0;     // the ring has the log from here on; at most stable.lsn
  Members members;  // as of `stable`
};

struct CftSettings {
  memory::ProcessIndex self;
  MemoryLayout layout;  // ring: a multiple of 64, at least 4 largest entries; chunk: at least 1 KiB
  Durability durability = Durability::disk;
  StartPoint start;
  std::uint32_t window_entries = 1024;          // 8 .. 65,536: undecided entries; a leader uses half of it
  std::uint32_t payload_bytes_max = 256 << 10;  // of one entry; at most a quarter of the ring
  // How far beyond its own reading a replica lets a leader write; at most a quarter of the ring. What may be
  // written ahead is history no longer: with more, a follower that is a little behind would find the rest of
  // the ring given away and need a snapshot.
  std::uint64_t credit_bytes = 1 << 20;
  std::uint64_t keep_bytes = 1 << 20;  // of applied log that survives a regrant; at most half of the ring
  std::uint32_t link_depth = 64;       // works that one link takes, at least 8
  Duration poll_interval = Duration::microseconds(20);  // between two looks at a peer's heartbeat
  Duration stale_after =
      Duration::microseconds(200);  // an unanswered look counts as a missed beat from here on
  // A link that was reset and does not live is reset again after this: its memory may have ended and begun
  // anew between the end of the reset and the next look at it, and nothing else would ever revive it. Longer
  // than a handshake with an agent takes, which each reset begins anew; short beside a process's restart.
  Duration relink_after = Duration::milliseconds(100);
  Duration stall_after = Duration::milliseconds(
      20);  // without progress a leader or candidate rests; up to 16 times as long if that goes on
  Duration rest = Duration::milliseconds(5);                // how long it then leaves the lead to others
  Duration stable_word_delay = Duration::microseconds(10);  // an idle leader tells what is decided after this
  Duration lag_patience = Duration::milliseconds(50);       // so long a slow follower may hold the leader up
  Duration demand_window = Duration::milliseconds(100);     // over which demand and progress are compared
  std::uint32_t demand_min = 8;                             // requests in a window that make it count

  // The core does this with what it is given; the limits above hold from then on.
  void fit_ring() {
    credit_bytes = std::min(credit_bytes, layout.ring_bytes / 4);
    keep_bytes = std::min(keep_bytes, layout.ring_bytes / 2);
  }
};

}  // namespace mallard::rsm::cft
