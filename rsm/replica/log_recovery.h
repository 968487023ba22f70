// Brings a replica back to where its journal ends: what is decided goes to the machine, what may still matter
// to others goes back into the ring.
#pragma once

#include <vector>

#include "config/contract/machine.h"
#include "rsm/core/cft/memory_layout.h"
#include "rsm/replica/journal/journal.h"
#include "rsm/replica/log_index.h"

namespace mallard::rsm {

class RecoveredCommands {
 public:
  virtual ~RecoveredCommands() = default;
  // In order; those are decided and durable.
  virtual void on_recovered(CommitIndex index, ByteView command) = 0;
};

struct RecoveredLog {
  LogStart applied;                 // everything up to here was handed over
  std::vector<LogPlace> undecided;  // lies in the ring, too
  cft::Lsn tail = 0;                // the ring has the log from here on
  // An entry could not be read, or does not continue the one before: the log ends before it. What others have
  // decided after it comes from them (reliability.md I3).
  bool broken = false;
};

// Reads every entry after `base`. `log_region`: own, not yet used by anybody.
[[nodiscard]] RecoveredLog recover_log(journal::Journal& journal, const LogStart& base,
                                       const cft::MemoryLayout& layout, ByteSpan log_region,
                                       RecoveredCommands& commands);

}  // namespace mallard::rsm
