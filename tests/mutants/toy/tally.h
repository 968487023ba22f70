// The part under test of the toy: counts to a limit.
#pragma once

#include <cstdint>

namespace mallard::toy {

constexpr std::uint32_t tally_max = 5;

class Tally {
 public:
  // Adds one, but never beyond tally_max.
  void add() noexcept;
  [[nodiscard]] std::uint32_t count() const noexcept { return count_; }

 private:
  std::uint32_t count_ = 0;
};

}  // namespace mallard::toy
