#include "tests/sim/cft/sim_journal.h"

#include <algorithm>

#include "config/base/invariant.h"
#include "rsm/core/cft/log_entry.h"

namespace mallard::sim::cft {

using rsm::cft::Lsn;

void SimJournal::order_entries(rsm::cft::JournalTicket ticket, Lsn from, std::vector<std::byte> bytes,
                               Instant done_at) {
  orders_.push_back({ticket, {}, from, std::move(bytes), done_at});
}

void SimJournal::order_promise(rsm::cft::JournalTicket ticket, rsm::cft::Ballot promise, Instant done_at) {
  orders_.push_back({ticket, promise, 0, {}, done_at});
}

Instant SimJournal::next_done() const { return orders_.empty() ? Instant::never() : orders_.front().done_at; }

rsm::cft::JournalTicket SimJournal::advance(Instant now) {
  rsm::cft::JournalTicket newest = 0;
  while (!orders_.empty() && orders_.front().done_at <= now) {
    apply(orders_.front(), orders_.front().bytes.size());
    newest = orders_.front().ticket;
    orders_.pop_front();
  }
  return newest;
}

void SimJournal::apply(const Order& order, std::size_t bytes) {
  if (order.promise.value != 0) {
    promise_ = std::max(promise_, order.promise);
    return;
  }
  // A snapshot may have overtaken the order.
  const Lsn from = std::max(order.from, base_.lsn);
  if (order.from + bytes <= from) return;
  const std::size_t at = from - base_.lsn;
  bytes_.resize(at);
  bytes_.insert(bytes_.end(), order.bytes.begin() + static_cast<std::ptrdiff_t>(from - order.from),
                order.bytes.begin() + static_cast<std::ptrdiff_t>(bytes));
}

void SimJournal::crash(Prng& prng) {
  std::size_t whole = prng.below(orders_.size() + 1);
  while (whole-- > 0) {
    apply(orders_.front(), orders_.front().bytes.size());
    orders_.pop_front();
  }
  if (!orders_.empty() && orders_.front().promise.value == 0 && prng.below(2) == 0) {
    // The part of it that reached the disk reaches at least as far as old and new agree.
    const Order& torn = orders_.front();
    std::size_t same = 0;
    if (torn.from >= base_.lsn) {
      const std::size_t at = torn.from - base_.lsn;
      while (same < torn.bytes.size() && at + same < bytes_.size() && bytes_[at + same] == torn.bytes[same]) {
        ++same;
      }
    }
    apply(torn, prng.between(same, torn.bytes.size()));
    cut_tail();
  }
  orders_.clear();
}

// As the journal does: a part of an entry, if only its unused last bytes are missing, is not a part of the
// log.
void SimJournal::cut_tail() {
  rsm::cft::LogMark end = base_;
  while (end.lsn - base_.lsn < bytes_.size()) {
    const auto entry = rsm::cft::decode_entry(ByteView(bytes_).subspan(end.lsn - base_.lsn), end);
    if (!entry) break;
    end = entry->end();
  }
  bytes_.resize(end.lsn - base_.lsn);
}

void SimJournal::snapshot(const rsm::cft::LogMark& stable, const rsm::cft::Members& members) {
  if (stable.lsn < base_.lsn) return;
  const std::size_t drop = std::min<std::size_t>(stable.lsn - base_.lsn, bytes_.size());
  bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(drop));
  base_ = stable;
  members_ = members;
}

}  // namespace mallard::sim::cft
