// Brings machine and outbound links to what a durable snapshot says, and finds the one to begin with.
#pragma once

#include "config/contract/machine.h"
#include "rsm/core/cft/members.h"
#include "rsm/replica/egress_log.h"
#include "rsm/replica/journal/journal.h"
#include "rsm/replica/log_index.h"
#include "rsm/replica/snapshot/snapshot_files.h"

namespace mallard::rsm {

// Puts a snapshot that was verified into machine and links. False: the file has changed since, or the machine
// has other limits; then machine and links are of no use any more. Takes as long as reading the file.
[[nodiscard]] bool load_snapshot(journal::Disk& disk, Machine& machine, EgressLog& egress,
                                 const StoredSnapshot& snapshot);

struct RecoveredState {
  LogStart start;      // machine and links stand here, and the journal goes on behind it
  KeptSnapshots kept;  // those that verify
  bool lost = false;   // the log between the state and what the journal had is gone
};

// Takes the newest snapshot that verifies; one that does not is as if it were not there. Completes what a
// crash interrupted: a snapshot that lies behind all of the journal came from a peer, and the journal begins
// anew behind it. Without any, the state is `beginning`. After an error machine and links are of no use.
[[nodiscard]] journal::JournalResult<RecoveredState> recover_state(journal::Journal& journal,
                                                                   Machine& machine, EgressLog& egress,
                                                                   const cft::Members& beginning);

}  // namespace mallard::rsm
