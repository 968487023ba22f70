// One value for each batch of each link at each replica.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "tests/sim/replica.h"
#include "tests/sim/stage.h"

namespace mallard::sim {

template <class T>
class Grid {
 public:
  Grid(const Stage& stage, std::size_t replicas) {
    for (const LinkTruth& link : stage.links) {
      offsets_.push_back(row_);
      row_ += link.shape().batches + 2;
    }
    offsets_.push_back(row_);
    cells_.resize(row_ * replicas);
  }

  // index is 0 to the link's batches + 1.
  T& at(ReplicaId replica, std::uint32_t link, BatchIndex index) {
    return cells_[replica * row_ + offsets_[link] + index];
  }
  void clear(ReplicaId replica) {
    std::fill_n(cells_.begin() + static_cast<std::ptrdiff_t>(replica * row_), row_, T{});
  }

 private:
  std::size_t row_ = 0;
  std::vector<std::size_t> offsets_;
  std::vector<T> cells_;
};

}  // namespace mallard::sim
