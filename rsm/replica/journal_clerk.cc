#include "rsm/replica/journal_clerk.h"

namespace mallard::rsm {

using journal::AppendOutcome;

void JournalClerk::append(const journal::Entry& entry) {
  if (failed()) {
    return;
  }
  AppendOutcome outcome = add(entry);
  if (outcome == AppendOutcome::group_full) {
    sync();
    outcome = add(entry);
  }
  if (outcome == AppendOutcome::journal_full) {
    failure_ = "the journal is full";
  } else if (outcome != AppendOutcome::accepted && !failed()) {
    failure_ = "the journal does not take an entry of the log: it is of another log, or of other settings";
  }
}

// What is committed is the same in every log of the cluster: it is written again only where it was damaged.
AppendOutcome JournalClerk::add(const journal::Entry& entry) {
  const bool committed = entry.index <= journal_.commit() && entry.index <= journal_.last();
  if (!committed) {
    return journal_.append(entry);
  }
  return is_damaged(entry.index) ? journal_.repair(entry) : AppendOutcome::accepted;
}

bool JournalClerk::is_damaged(journal::EntryIndex index) const {
  if (journal_.entries_damaged() == 0) {
    return false;
  }
  for (const journal::DamagedRange& range : journal_.damaged()) {
    if (range.from <= index && index <= range.to) {
      return true;
    }
  }
  return false;
}

void JournalClerk::promise(cft::JournalTicket ticket, const journal::Promises& promises) {
  sync();
  if (failed()) {
    return;
  }
  note(journal_.promise(promises));
  sealed_ = ticket;
  if (!failed()) {
    persisted_ = sealed_;
  }
}

void JournalClerk::commit(journal::EntryIndex index) {
  if (!failed()) {
    journal_.set_commit(index);
  }
}

void JournalClerk::write_snapshot(ByteView bytes, bool first) {
  if (failed()) {
    return;
  }
  if (first) {
    note(snapshot_.begin());
  }
  if (!failed()) {
    note(snapshot_.append(bytes));
  }
  snapshot_orders_ += failed() ? 0U : 1U;
}

// The snapshot is found under its name before anything that it takes the place of may go.
void JournalClerk::keep_snapshot(const KeepSnapshot& order) {
  sync();
  if (failed()) {
    return;
  }
  note(snapshot_.publish(order.slot));
  if (!failed() && order.restarts) {
    note(journal_.restart_after(order.position));
  } else if (!failed()) {
    // An older one than the journal knows of takes the place of one that was found damaged.
    if (order.position.index >= journal_.snapshot().index) {
      note(journal_.set_snapshot(order.position));
    }
    if (!failed()) {
      note(journal_.truncate_front(order.forget_through));
    }
  }
  snapshot_orders_ += failed() ? 0U : 1U;
}

void JournalClerk::sync() {
  if (failed()) {
    return;
  }
  const auto synced = journal_.sync();
  if (!synced) {
    failure_ = synced.error().what;
    return;
  }
  persisted_ = sealed_;
}

void JournalClerk::note(const journal::JournalResult<void>& result) {
  if (!result) {
    failure_ = result.error().what;
  }
}

}  // namespace mallard::rsm
