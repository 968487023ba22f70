#include "rsm/replica/journal/entry_table.h"

#include <algorithm>

#include "config/base/invariant.h"

namespace mallard::rsm::journal {

EntryTable::EntryTable(std::size_t entries_max) : places_(entries_max) { MALLARD_INVARIANT(entries_max > 0); }

void EntryTable::reset(EntryIndex front) {
  front_ = front;
  last_ = front;
  damaged_ = 0;
  safe_below_ = front.next();
}

void EntryTable::push(const EntryLocation& location) {
  MALLARD_INVARIANT(!full());
  last_ = last_.next();
  places_[place_of(last_)] = location;
  if (location.lsn == 0) {
    ++damaged_;
  }
  safe_below_ = std::min(safe_below_, last_);
}

void EntryTable::cut_after(EntryIndex last) {
  const EntryIndex stop = std::max(last, front_);
  while (last_ > stop) {
    if (places_[place_of(last_)].lsn == 0) {
      --damaged_;
    }
    --last_.value;
  }
}

void EntryTable::drop_front(EntryIndex front) {
  MALLARD_INVARIANT(front <= last_);
  while (front_ < front) {
    front_ = front_.next();
    if (places_[place_of(front_)].lsn == 0) {
      --damaged_;
    }
  }
  safe_below_ = std::max(safe_below_, front_.next());
}

const EntryLocation& EntryTable::at(EntryIndex index) const {
  MALLARD_INVARIANT(holds(index));
  return places_[place_of(index)];
}

void EntryTable::replace(EntryIndex index, const EntryLocation& location) {
  MALLARD_INVARIANT(holds(index));
  EntryLocation& place = places_[place_of(index)];
  damaged_ -= place.lsn == 0 ? 1U : 0U;
  damaged_ += location.lsn == 0 ? 1U : 0U;
  place = location;
  safe_below_ = std::min(safe_below_, index);
}

EntryIndex EntryTable::first_unsafe(EntryIndex through, std::uint64_t synced) {
  const EntryIndex end = std::min(through, last_).next();
  EntryIndex index = std::max(safe_below_, front_.next());
  while (index < end && at(index).lsn != 0 && at(index).lsn <= synced) {
    index = index.next();
  }
  safe_below_ = std::min(index, end);
  return std::min(index, end);
}

}  // namespace mallard::rsm::journal
