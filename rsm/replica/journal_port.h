// What the engine's shell orders of the journal. Orders are carried out one after the other, elsewhere: on a
// thread of its own (journal_thread.h), or in a test's virtual time.
#pragma once

#include "rsm/core/cft/event.h"
#include "rsm/replica/journal/entry.h"
#include "rsm/replica/journal/superblock.h"

namespace mallard::rsm {

class JournalPort {
 public:
  virtual ~JournalPort() = default;

  // The log has this entry at its index, and none after it yet: what the journal had from there on is no
  // longer the log. The body is copied. Waits for room where the journal is too far behind.
  virtual void append(const journal::Entry& entry) = 0;
  // What was appended before is to be durable under this ticket. Tickets rise.
  virtual void seal(cft::JournalTicket ticket) = 0;
  // As seal(), and the promises as well.
  virtual void promise(cft::JournalTicket ticket, const journal::Promises& promises) = 0;
  // Entries up to this one are decided and will never be replaced. Need not become durable by itself.
  virtual void commit(journal::EntryIndex index) = 0;
  // The state after that entry is durable in a snapshot: entries up to it may go.
  virtual void snapshot(const journal::SnapshotPosition& position) = 0;

  // The highest ticket whose orders, and all before them, are durable.
  [[nodiscard]] virtual cft::JournalTicket persisted() const = 0;
  // A system call failed, or the journal has no room left: nothing is persisted any more and the process is
  // to end (reliability.md I5).
  [[nodiscard]] virtual bool failed() const = 0;
};

}  // namespace mallard::rsm
