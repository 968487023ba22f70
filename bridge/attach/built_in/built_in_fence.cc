// What a raised fence does to the inbound links of an attachment.
#include <algorithm>
#include <utility>

#include "bridge/attach/built_in/built_in_attachment.h"

namespace mallard::bridge::built_in {

bool BuiltInAttachment::is_fenced(LinkIndex link) const {
  const auto inbound = std::ranges::find(inbound_, link, &Inbound::link);
  return inbound != inbound_.end() && inbound->fence < status_.fence;
}

Fence BuiltInAttachment::ordering_fence(LinkIndex link) const {
  const auto inbound = std::ranges::find(inbound_, link, &Inbound::link);
  return inbound != inbound_.end() ? inbound->fence : Fence();
}

// A gateway that has not begun yet takes what it is told.
void BuiltInAttachment::hear(Fence fence) {
  if (fence <= status_.fence) {
    return;
  }
  const Fence before = std::exchange(status_.fence, fence);
  fence_ = ready_ ? fence_ : fence;
  for (Inbound& link : inbound_) {
    if (!ready_) {
      link.fence = fence;
    } else if (link.fence == before) {
      take_back_orders(link);
      if (callbacks_.on_fence) {
        callbacks_.on_fence({.link = link.link, .fenced = true, .ordered = link.fence, .raised = fence});
      }
    }
  }
}

// The cursor moves, and everything that was applied before the fence was raised has been told.
void BuiltInAttachment::follow_fence(Inbound& link) {
  if (link.fence == status_.fence) {
    return;
  }
  const Fence before = std::exchange(link.fence, status_.fence);
  if (callbacks_.on_fence) {
    callbacks_.on_fence({.link = link.link, .fenced = false, .ordered = before, .raised = status_.fence});
  }
}

}  // namespace mallard::bridge::built_in
