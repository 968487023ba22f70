#include "rsm/core/certify/sign_guard.h"

#include <algorithm>

#include "config/base/invariant.h"

namespace mallard::rsm::certify {

void SignGuard::start(Generation generation, BatchNumber after, const crypto::Digest& root) {
  const bool refused = generation == generation_ && state_ == GuardState::contradicted;
  generation_ = generation;
  if (refused) return;
  const Mark& bound = binding();
  floor_ = bound.generation == generation ? bound.floor : BatchNumber();
  if (bound.generation > generation) {
    state_ = GuardState::outdated;
  } else if (bound.generation < generation) {
    state_ = GuardState::open;
  } else if (after > bound.batch) {
    floor_ = after;
    state_ = GuardState::open;
  } else {
    state_ = GuardState::behind;
    extend(after, root);
  }
}

void SignGuard::extend(BatchNumber batch, const crypto::Digest& root) {
  if (state_ != GuardState::behind || batch != binding().batch) return;
  state_ = root == binding().root ? GuardState::open : GuardState::contradicted;
}

void SignGuard::confirm(BatchNumber batch) {
  if (state() != GuardState::lost) return;
  lost_ = false;
  floor_ = std::max(floor_, batch);
}

GuardState SignGuard::state() const {
  const bool silent = lost_ && (state_ == GuardState::open || state_ == GuardState::behind);
  return silent ? GuardState::lost : state_;
}

bool SignGuard::may_sign(BatchNumber batch) const {
  return state() == GuardState::open && covers_chain() && batch > floor_ && batch <= mark_.batch;
}

std::optional<Mark> SignGuard::raise(BatchNumber newest, const crypto::Digest& root) {
  const bool needed = !covers_chain() || newest > mark_.batch;
  if (state() != GuardState::open || pending_ || newest <= floor_ || !needed) return {};
  pending_ = Mark{generation_, floor_, newest, root};
  return pending_;
}

void SignGuard::persisted() {
  MALLARD_INVARIANT(pending_.has_value());
  mark_ = *pending_;
  pending_.reset();
}

}  // namespace mallard::rsm::certify
