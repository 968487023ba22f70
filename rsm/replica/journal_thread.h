// The journal on a thread of its own, behind a bounded queue: the replica's thread never waits for a disk,
// unless the disk is a whole queue behind.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "rsm/replica/journal_clerk.h"
#include "rsm/replica/journal_port.h"

namespace mallard::rsm {

struct JournalThreadSettings {
  std::size_t queue_bytes = 16U << 20;  // of bodies that wait, at least one; twice that is allocated
  std::size_t queue_orders = 65'536;    // that wait; likewise
};

// One thread orders; the functions may be called by it alone.
class JournalThread final : public JournalPort {
 public:
  // The journal outlives this, and nobody else uses it meanwhile. `on_progress` may be empty; it is called on
  // the journal's thread after persisted() or failed() has changed, and must be quick.
  JournalThread(journal::Journal& journal, const JournalThreadSettings& settings,
                std::function<void()> on_progress);
  // Carries out what was ordered.
  ~JournalThread() override;
  JournalThread(const JournalThread&) = delete;
  JournalThread& operator=(const JournalThread&) = delete;

  void append(const journal::Entry& entry) override;
  void seal(cft::JournalTicket ticket) override;
  void promise(cft::JournalTicket ticket, const journal::Promises& promises) override;
  void commit(journal::EntryIndex index) override;
  void write_snapshot(ByteView bytes, bool first) override;
  void keep_snapshot(const KeepSnapshot& order) override;
  [[nodiscard]] std::uint64_t snapshot_orders() const override {
    return snapshot_orders_.load(std::memory_order_acquire);
  }
  [[nodiscard]] cft::JournalTicket persisted() const override {
    return persisted_.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool failed() const override { return failed_.load(std::memory_order_acquire); }

  // How far the store was a moment ago.
  [[nodiscard]] journal::Witness witness() const {
    const std::lock_guard lock(witness_mutex_);
    return witness_;
  }
  // Why it failed: a sentence without a final stop. Only after failed().
  [[nodiscard]] const std::string& failure() const { return clerk_.failure(); }

 private:
  enum class Kind : std::uint8_t { append, seal, promise, commit, write_snapshot, keep_snapshot };
  struct Order {
    Kind kind = Kind::seal;
    journal::Entry entry;  // its body lies in Batch::bytes
    std::size_t body_at = 0;
    std::size_t body_bytes = 0;
    cft::JournalTicket ticket = 0;
    journal::Promises promises;
    KeepSnapshot snapshot;
    bool first = false;
  };
  struct Batch {
    std::vector<Order> orders;
    std::vector<std::byte> bytes;
  };

  void add(const Order& order, ByteView body, bool wakes);
  void run();
  void carry_out(const Batch& batch);

  const journal::Journal& journal_;  // the thread's
  JournalClerk clerk_;
  JournalThreadSettings settings_;
  std::function<void()> on_progress_;
  std::atomic<cft::JournalTicket> persisted_{0};
  std::atomic<std::uint64_t> snapshot_orders_{0};
  std::atomic<bool> failed_{false};

  mutable std::mutex witness_mutex_;
  journal::Witness witness_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Batch filling_;
  bool due_ = false;  // something in `filling_` waits to become durable
  bool stopping_ = false;

  Batch draining_;  // the thread's
  std::thread thread_;
};

}  // namespace mallard::rsm
