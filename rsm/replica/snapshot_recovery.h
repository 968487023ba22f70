// Brings machine and outbound links to what a durable snapshot says, and finds the one to begin with.
#pragma once

#include "config/contract/machine.h"
#include "rsm/core/cft/members.h"
#include "rsm/replica/egress_log.h"
#include "rsm/replica/journal/journal.h"
#include "rsm/replica/log_index.h"
#include "rsm/replica/snapshot/snapshot_files.h"

namespace mallard::rsm {

// Puts a snapshot that was verified into machine and links, a piece at a time, so that who drives it can do
// other things in between.
class SnapshotLoad {
 public:
  // All outlive the load.
  SnapshotLoad(journal::Disk& disk, Machine& machine, EgressLog& egress);

  // Machine and links are empty from now on, until the load is done. False: it cannot be read.
  [[nodiscard]] bool begin(const StoredSnapshot& snapshot);
  enum class Outcome : std::uint8_t { more, done, failed };
  // The next frame. After `failed` (the file changed since, or the machine has other settings) machine and
  // links are of no use any more.
  [[nodiscard]] Outcome step();

 private:
  [[nodiscard]] bool take(const SnapshotFrame& frame);

  Machine& machine_;
  EgressLog& egress_;
  SnapshotReader reader_;
  StoredSnapshot snapshot_;
  bool state_is_whole_ = false;
};

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
