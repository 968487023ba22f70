// A journal in virtual time: what was ordered becomes durable a while later, all of it with one sync.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "config/base/time.h"
#include "rsm/replica/journal_clerk.h"
#include "rsm/replica/journal_port.h"

namespace mallard::rsm {

class DelayedJournal final : public JournalPort {
 public:
  DelayedJournal(journal::Journal& journal, Duration delay) : clerk_(journal), delay_(delay) {}

  void append(const journal::Entry& entry) override {
    const std::vector<std::byte> body(entry.body.begin(), entry.body.end());
    orders_.emplace_back([this, entry, body] {
      clerk_.append({entry.index, entry.term, entry.epoch, body});
    });
  }
  void seal(cft::JournalTicket ticket) override {
    orders_.emplace_back([this, ticket] { clerk_.seal(ticket); });
  }
  void promise(cft::JournalTicket ticket, const journal::Promises& promises) override {
    orders_.emplace_back([this, ticket, promises] { clerk_.promise(ticket, promises); });
  }
  void commit(journal::EntryIndex index) override {
    orders_.emplace_back([this, index] { clerk_.commit(index); });
  }
  void write_snapshot(ByteView bytes, bool first) override {
    const std::vector<std::byte> copy(bytes.begin(), bytes.end());
    orders_.emplace_back([this, copy, first] { clerk_.write_snapshot(copy, first); });
  }
  void keep_snapshot(const KeepSnapshot& order) override {
    orders_.emplace_back([this, order] { clerk_.keep_snapshot(order); });
  }
  [[nodiscard]] std::uint64_t snapshot_orders() const override { return clerk_.snapshot_orders(); }
  [[nodiscard]] cft::JournalTicket persisted() const override { return clerk_.persisted(); }
  [[nodiscard]] bool failed() const override { return clerk_.failed(); }

  // Carries out what was ordered long enough ago.
  void advance(Instant now) {
    if (orders_.empty()) {
      due_.reset();
      return;
    }
    if (!due_) {
      due_ = now + delay_;
    }
    if (now < *due_) {
      return;
    }
    for (const auto& order : orders_) {
      order();
    }
    orders_.clear();
    due_.reset();
    clerk_.sync();
  }
  [[nodiscard]] const JournalClerk& clerk() const { return clerk_; }

 private:
  JournalClerk clerk_;
  Duration delay_;
  std::vector<std::function<void()>> orders_;
  std::optional<Instant> due_;
};

}  // namespace mallard::rsm
