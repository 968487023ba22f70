#include "rsm/core/certify/share_window.h"

#include <algorithm>
#include <bit>

#include "config/base/invariant.h"

namespace mallard::rsm::certify {

ShareWindow::ShareWindow(std::size_t batches, std::size_t signers)
    : signers_(signers), batches_(batches), entries_(batches * signers) {
  MALLARD_INVARIANT(batches >= 64 && std::has_single_bit(batches));
  MALLARD_INVARIANT(signers >= 1 && signers <= replicas_max);
}

void ShareWindow::reset(BatchNumber base) {
  std::fill(batches_.begin(), batches_.end(), Batch());
  base_ = base;
}

void ShareWindow::advance(BatchNumber base) {
  MALLARD_INVARIANT(base >= base_);
  const std::uint64_t passed = std::min<std::uint64_t>(base.value - base_.value, batches_.size());
  for (std::uint64_t i = 1; i <= passed; ++i) {
    at(BatchNumber(base_.value + i)) = Batch();
  }
  base_ = base;
}

}  // namespace mallard::rsm::certify
