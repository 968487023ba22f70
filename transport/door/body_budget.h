// How many bytes of bodies somebody may have in the pool at a time.
#pragma once

#include <cstdint>

#include "config/base/invariant.h"

namespace mallard::transport::door {

class BodyBudget {
 public:
  // `whole`, if there is one, is what this is a part of: what is taken here counts there too. It outlives
  // the budget.
  explicit BodyBudget(std::uint64_t bytes_max, BodyBudget* whole = nullptr)
      : bytes_max_(bytes_max), whole_(whole) {}

  // False, and nothing is taken, when it does not fit here or in the whole.
  [[nodiscard]] bool take(std::uint64_t bytes) {
    if (taken_ + bytes > bytes_max_ || (whole_ != nullptr && !whole_->take(bytes))) {
      return false;
    }
    taken_ += bytes;
    return true;
  }
  // Some of what was taken.
  void give_back(std::uint64_t bytes) {
    MALLARD_INVARIANT(bytes <= taken_);
    taken_ -= bytes;
    if (whole_ != nullptr) {
      whole_->give_back(bytes);
    }
  }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

 private:
  std::uint64_t bytes_max_;
  BodyBudget* whole_;
  std::uint64_t taken_ = 0;
};

}  // namespace mallard::transport::door
