// What the engine's shell orders of the journal. Orders are carried out one after the other, elsewhere: on a
// thread of its own (journal_thread.h), or in a test's virtual time.
#pragma once

#include <cstdint>

#include "rsm/core/cft/event.h"
#include "rsm/replica/journal/entry.h"
#include "rsm/replica/journal/superblock.h"

namespace mallard::rsm {

struct KeepSnapshot {
  std::uint8_t slot = 0;  // of its file
  journal::SnapshotPosition position;
  // Entries up to here are needed by no snapshot that is kept. At most the position's.
  journal::EntryIndex forget_through;
  // The log had not come so far: all entries go, and it goes on behind the snapshot.
  bool restarts = false;
};

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
  // Adds bytes to the snapshot that is being written; `first`: they begin one. They are copied.
  virtual void write_snapshot(ByteView bytes, bool first) = 0;
  // What was written is a whole snapshot: it gets its name, and then the log is cut as the order says.
  virtual void keep_snapshot(const KeepSnapshot& order) = 0;
  // How many of these two orders were carried out.
  [[nodiscard]] virtual std::uint64_t snapshot_orders() const = 0;

  // The highest ticket whose orders, and all before them, are durable.
  [[nodiscard]] virtual cft::JournalTicket persisted() const = 0;
  // A system call failed, or the journal has no room left: nothing is persisted any more and the process is
  // to end (reliability.md I5).
  [[nodiscard]] virtual bool failed() const = 0;
};

}  // namespace mallard::rsm
