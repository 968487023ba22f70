// Does to a journal what the engine's shell ordered (journal_port.h). Blocks where the journal does.
#pragma once

#include <string>

#include "rsm/core/cft/event.h"
#include "rsm/replica/journal/journal.h"
#include "rsm/replica/journal_port.h"
#include "rsm/replica/snapshot/snapshot_files.h"

namespace mallard::rsm {

class JournalClerk {
 public:
  // The journal outlives the clerk.
  explicit JournalClerk(journal::Journal& journal) : journal_(journal), snapshot_(journal.disk()) {}

  // As the functions of JournalPort; none does anything after a failure.
  void append(const journal::Entry& entry);
  void seal(cft::JournalTicket ticket) { sealed_ = ticket; }
  void promise(cft::JournalTicket ticket, const journal::Promises& promises);
  void commit(journal::EntryIndex index);
  void write_snapshot(ByteView bytes, bool first);
  void keep_snapshot(const KeepSnapshot& order);
  // Makes everything durable that was ordered.
  void sync();

  [[nodiscard]] cft::JournalTicket persisted() const { return persisted_; }
  [[nodiscard]] std::uint64_t snapshot_orders() const { return snapshot_orders_; }
  [[nodiscard]] bool failed() const { return !failure_.empty(); }
  // A sentence without a final stop; empty while all is well.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  [[nodiscard]] bool is_damaged(journal::EntryIndex index) const;
  [[nodiscard]] journal::AppendOutcome add(const journal::Entry& entry);
  void note(const journal::JournalResult<void>& result);

  journal::Journal& journal_;
  SnapshotWriter snapshot_;
  std::uint64_t snapshot_orders_ = 0;
  cft::JournalTicket sealed_ = 0;
  cft::JournalTicket persisted_ = 0;
  std::string failure_;
};

}  // namespace mallard::rsm
