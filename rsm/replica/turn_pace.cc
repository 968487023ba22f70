#include "rsm/replica/turn_pace.h"

#include <algorithm>

namespace mallard::rsm {

TurnPace::Rest TurnPace::after(const Turn& turn, Instant now, Instant deadline) {
  if (wait_ == config::Wait::spin) {
    return {.kind = turn.log_grew ? Rest::Kind::none : Rest::Kind::yield, .until = now};
  }
  if (turn.log_grew || turn.unfinished) {
    active_at_ = now;
  }
  if (turn.log_grew) {
    pause_ = first_wait;
    return {.kind = Rest::Kind::none, .until = now};
  }
  if (now - active_at_ > idle_after && turn.knows_leader) {
    return {.kind = Rest::Kind::wait, .until = now + idle_wait};
  }
  const Instant until = std::min(deadline, now + pause_);
  pause_ = std::min(pause_ * 2, turn.unfinished ? unfinished_wait : last_wait);
  return {.kind = Rest::Kind::wait, .until = until};
}

}  // namespace mallard::rsm
