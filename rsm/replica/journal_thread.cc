#include "rsm/replica/journal_thread.h"

#include <utility>

namespace mallard::rsm {

JournalThread::JournalThread(journal::Journal& journal, const JournalThreadSettings& settings,
                             std::function<void()> on_progress)
    : journal_(journal),
      clerk_(journal),
      settings_(settings),
      on_progress_(std::move(on_progress)),
      witness_(journal.witness()) {
  for (Batch* batch : {&filling_, &draining_}) {
    batch->orders.reserve(settings.queue_orders);
    batch->bytes.reserve(settings.queue_bytes);
  }
  thread_ = std::thread([this] { run(); });
}

JournalThread::~JournalThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void JournalThread::append(const journal::Entry& entry) {
  Order order{.kind = Kind::append, .entry = entry};
  order.entry.body = {};
  add(order, entry.body, false);
}

void JournalThread::seal(cft::JournalTicket ticket) { add({.kind = Kind::seal, .ticket = ticket}, {}, true); }

void JournalThread::promise(cft::JournalTicket ticket, const journal::Promises& promises) {
  add({.kind = Kind::promise, .ticket = ticket, .promises = promises}, {}, true);
}

void JournalThread::commit(journal::EntryIndex index) {
  Order order{.kind = Kind::commit};
  order.entry.index = index;
  add(order, {}, false);
}

void JournalThread::write_snapshot(ByteView bytes, bool first) {
  add({.kind = Kind::write_snapshot, .first = first}, bytes, true);
}

void JournalThread::keep_snapshot(const KeepSnapshot& order) {
  add({.kind = Kind::keep_snapshot, .snapshot = order}, {}, true);
}

// What does not wake the thread by itself does so when half of the queue is used.
void JournalThread::add(const Order& order, ByteView body, bool wakes) {
  std::unique_lock lock(mutex_);
  const auto has_room = [&] {
    return filling_.orders.empty() || (filling_.orders.size() < settings_.queue_orders &&
                                       filling_.bytes.size() + body.size() <= settings_.queue_bytes);
  };
  if (!has_room()) {
    due_ = true;
    changed_.notify_all();
    changed_.wait(lock, has_room);
  }
  Order kept = order;
  kept.body_at = filling_.bytes.size();
  kept.body_bytes = body.size();
  filling_.bytes.insert(filling_.bytes.end(), body.begin(), body.end());
  filling_.orders.push_back(kept);
  const bool filled = filling_.orders.size() > settings_.queue_orders / 2 ||
                      filling_.bytes.size() > settings_.queue_bytes / 2;
  if (wakes || filled) {
    due_ = true;
    lock.unlock();
    changed_.notify_all();
  }
}

void JournalThread::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return due_ || stopping_; });
      if (filling_.orders.empty()) {
        if (stopping_) {
          return;
        }
        due_ = false;
        continue;
      }
      std::swap(filling_, draining_);
      due_ = false;
    }
    changed_.notify_all();
    carry_out(draining_);
    draining_.orders.clear();
    draining_.bytes.clear();
    {
      const std::lock_guard lock(witness_mutex_);
      witness_ = journal_.witness();
    }
    persisted_.store(clerk_.persisted(), std::memory_order_release);
    snapshot_orders_.store(clerk_.snapshot_orders(), std::memory_order_release);
    failed_.store(clerk_.failed(), std::memory_order_release);
    if (on_progress_) {
      on_progress_();
    }
  }
}

// Everything that came together becomes durable with one sync.
void JournalThread::carry_out(const Batch& batch) {
  for (const Order& order : batch.orders) {
    switch (order.kind) {
      case Kind::append: {
        journal::Entry entry = order.entry;
        entry.body = ByteView(batch.bytes).subspan(order.body_at, order.body_bytes);
        clerk_.append(entry);
        break;
      }
      case Kind::seal:
        clerk_.seal(order.ticket);
        break;
      case Kind::promise:
        clerk_.promise(order.ticket, order.promises);
        break;
      case Kind::commit:
        clerk_.commit(order.entry.index);
        break;
      case Kind::write_snapshot:
        clerk_.write_snapshot(ByteView(batch.bytes).subspan(order.body_at, order.body_bytes), order.first);
        break;
      case Kind::keep_snapshot:
        clerk_.keep_snapshot(order.snapshot);
        break;
    }
  }
  clerk_.sync();
}

}  // namespace mallard::rsm
