// A journal that carries out what is ordered at once.
#pragma once

#include "rsm/replica/journal_clerk.h"
#include "rsm/replica/journal_port.h"

namespace mallard::rsm {

class DirectJournal final : public JournalPort {
 public:
  explicit DirectJournal(journal::Journal& journal) : clerk_(journal) {}
  void append(const journal::Entry& entry) override { clerk_.append(entry); }
  void seal(cft::JournalTicket ticket) override {
    clerk_.seal(ticket);
    clerk_.sync();
  }
  void promise(cft::JournalTicket ticket, const journal::Promises& promises) override {
    clerk_.promise(ticket, promises);
  }
  void commit(journal::EntryIndex index) override { clerk_.commit(index); }
  void write_snapshot(ByteView bytes, bool first) override { clerk_.write_snapshot(bytes, first); }
  void keep_snapshot(const KeepSnapshot& order) override { clerk_.keep_snapshot(order); }
  [[nodiscard]] std::uint64_t snapshot_orders() const override { return clerk_.snapshot_orders(); }
  [[nodiscard]] cft::JournalTicket persisted() const override { return clerk_.persisted(); }
  [[nodiscard]] bool failed() const override { return clerk_.failed(); }

 private:
  JournalClerk clerk_;
};

}  // namespace mallard::rsm
