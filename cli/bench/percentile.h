// Ranks of measured values.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace mallard::cli {

// The smallest value that at least `share` (above 0, up to 1) of the values do not exceed (nearest rank).
// `sorted` has a value at least.
template <class Value>
[[nodiscard]] Value percentile(const std::vector<Value>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace mallard::cli
