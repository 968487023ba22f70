// Which entries this replica has told its journal and not applied yet: where each ends in the log, and its
// number in the journal. The journal's numbers are this replica's own: a count of entries.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "config/base/invariant.h"
#include "rsm/core/cft/ballot.h"
#include "rsm/core/cft/members.h"
#include "rsm/replica/journal/entry.h"

namespace mallard::rsm {

struct LogPlace {
  cft::LogMark end;           // of the entry
  journal::EntryIndex index;  // in the journal
  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

// Where the machine stands, and who is a member there.
struct LogStart {
  LogPlace place;
  cft::Members members;
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
  // A snapshot of that state was installed. If the entry is one of these, it and those before it count as
  // applied; else nothing is left of them, and the log goes on behind the snapshot.
  void install(const LogPlace& state) {
    std::size_t i = 0;
    while (i < count_ && at(i).end != state.end) {
      ++i;
    }
    first_ = (first_ + std::min(i + 1, count_)) % places_.size();
    count_ = i < count_ ? count_ - i - 1 : 0;
    base_ = state;
  }
  // The place of the entry that ends there, if it is one of these.
  [[nodiscard]] std::optional<LogPlace> find(const cft::LogMark& end) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (at(i).end == end) {
        return at(i);
      }
    }
    return {};
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
