// Places in a log by a number that grows along it: a bounded number of them, evenly spread, however long the
// log.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "config/base/invariant.h"

namespace mallard::bridge::file {

// Keeps at most `capacity` places. When it is full it forgets every other one, and from then on notes half as
// many.
template <class Place>
class SparseIndex {
 public:
  explicit SparseIndex(std::size_t capacity) : capacity_(capacity) {
    MALLARD_INVARIANT(capacity >= 2);
    entries_.reserve(capacity);
  }

  // Offers the place of `number`, which is larger than any before. Kept if the last one kept is far enough
  // back.
  void offer(std::uint64_t number, const Place& place) {
    if (!entries_.empty()) {
      MALLARD_INVARIANT(number > entries_.back().number);
      if (number - entries_.back().number < stride_) {
        return;
      }
    }
    if (entries_.size() == capacity_) {
      thin_out();
      if (number - entries_.back().number < stride_) {
        return;
      }
    }
    entries_.push_back({number, place});
  }

  // The last place kept at or before `number`; nullptr when there is none.
  [[nodiscard]] const Place* at_or_before(std::uint64_t number) const {
    const auto after = std::upper_bound(entries_.begin(), entries_.end(), number,
                                        [](std::uint64_t n, const Entry& entry) { return n < entry.number; });
    return after == entries_.begin() ? nullptr : &std::prev(after)->place;
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t number = 0;
    Place place{};
  };

  void thin_out() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries_.size(); i += 2) {
      entries_[kept++] = entries_[i];
    }
    entries_.resize(kept);
    stride_ *= 2;
  }

  std::size_t capacity_;
  std::uint64_t stride_ = 1;
  std::vector<Entry> entries_;
};

}  // namespace mallard::bridge::file
