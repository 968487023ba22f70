// Everything that can happen to a CFT core. Facts only; this file and effect.h are its whole language.
#pragma once

#include <cstdint>
#include <variant>

#include "config/base/bytes.h"
#include "config/contract/one_sided.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/log_entry.h"
#include "rsm/core/cft/members.h"

namespace mallard::rsm::cft {

// The client's side chooses it; it comes back with what became of the proposal.
using ProposalId = std::uint64_t;
// Orders to the journal are numbered 1, 2, 3 ...
using JournalTicket = std::uint64_t;

// Own memory may have changed: look at it. The shell says this once in each of its turns.
struct Polled {};

// A work that the core ordered was reported.
struct Completed {
  memory::ProcessIndex to;
  memory::WorkDone done;
};

// The link to this process lives: at the start, and after each ResetLink or failure.
struct LinkUp {
  memory::ProcessIndex to;
};

// The regrant that was ordered is done; log memory is what it is from now on until the next one.
struct Regranted {
  memory::GrantNumber grant;
};

// Append this to the log. The payload is copied during the step. Answered by Placed or Refused.
struct Propose {
  ProposalId proposal = 0;
  ByteView payload;
};

// Add or remove one replica. Answered like Propose. Accepted only if a majority of the members to be follow
// the leader now and have all from before its reign, the leader counted where it stays: a change counts from
// when it is in the log (Ongaro 2014, section 4.1), so one without such a majority could neither be decided
// nor taken back, and where memory is what was promised the cluster would be gone although one replica of
// three died.
struct ProposeMember {
  ProposalId proposal = 0;
  memory::ProcessIndex replica;
  bool add = false;
};

// So many requests have newly come to this replica that a leader should get decided, its own included.
struct Demand {
  std::uint64_t requests = 0;
};

// Reads came to this replica; they are numbered 1, 2, 3 ... in one life, and all up to this one were asked.
// They are to see everything that anybody was told before they came, without an entry in the log. Answered by
// ReadAt or ReadsRefused.
struct AskRead {
  std::uint64_t read = 0;
};

// The journal has everything that was ordered up to this ticket, synced.
struct Persisted {
  JournalTicket ticket = 0;
};

// The state machine is done with the log up to here: its bytes may be overwritten.
struct Applied {
  Lsn through = 0;
};

// A snapshot of another replica has taken the place of machine and journal; both are synced.
struct SnapshotInstalled {
  LogMark stable;
  Members members;
};

using Fact = std::variant<Polled, Completed, LinkUp, Regranted, Propose, ProposeMember, Demand, AskRead,
                          Persisted, Applied, SnapshotInstalled>;

// Own regions as they lie in memory at this step. Others write into log and mail meanwhile.
struct OwnMemory {
  ByteSpan log;
  ByteView mail;
  ByteView scratch;
};

struct Event {
  OwnMemory memory;
  Fact fact;
};

}  // namespace mallard::rsm::cft
