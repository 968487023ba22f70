// Which entries this replica has told its journal and not applied yet: where each ends in the log, and its
// number in the journal. The journal's numbers are this replica's own: a count of entries.
#pragma once

#include <cstddef>
#include <vector>

#include "config/base/invariant.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/replica/journal/entry.h"

namespace mallard::rsm {

struct LogPlace {
  cft::LogMark end;           // of the entry
  journal::EntryIndex index;  // in the journal
  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

class LogIndex {
 public:
  // `base`: the last entry that was applied. Allocates room for `capacity` entries.
  LogIndex(std::size_t capacity, const LogPlace& base) : places_(capacity), base_(base) {}

  [[nodiscard]] const LogPlace& base() const { return base_; }
  // The last that was pushed; base() if there is none.
  [[nodiscard]] const LogPlace& last() const { return count_ == 0 ? base_ : at(count_ - 1); }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // The next to be applied.
  [[nodiscard]] const LogPlace& front() const {
    MALLARD_INVARIANT(count_ > 0);
    return at(0);
  }
  // It was applied.
  void pop() {
    base_ = front();
    first_ = (first_ + 1) % places_.size();
    --count_;
  }
  // The entry after last() ends here.
  void push(const cft::LogMark& end) {
    MALLARD_INVARIANT(count_ < places_.size() && end.lsn > last().end.lsn);
    const LogPlace place{end, last().index.next()};
    ++count_;
    places_[(first_ + count_ - 1) % places_.size()] = place;
  }
  // Forgets entries that end after `from`. Applied ones stay.
  void cut(cft::Lsn from) {
    while (count_ > 0 && last().end.lsn > from) {
      --count_;
    }
  }

 private:
  [[nodiscard]] const LogPlace& at(std::size_t i) const { return places_[(first_ + i) % places_.size()]; }

  std::vector<LogPlace> places_;  // a ring
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  LogPlace base_;
};

}  // namespace mallard::rsm
