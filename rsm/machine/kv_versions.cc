#include "rsm/machine/kv_versions.h"

#include <algorithm>

namespace mallard::rsm {

Result<ViewId, MachineFault> KvVersions::open() {
  const auto found = std::ranges::find(views_, 0U, &View::opened);
  if (found == views_.end()) {
    return Failure<MachineFault>(MachineFault::no_view_left);
  }
  opened_ = std::max(opened_ + 1, 1U);
  found->opened = opened_;
  found->version = live_;
  forest_.share(live_.user);
  forest_.share(live_.system);
  return ViewId{.slot = static_cast<std::uint32_t>(found - views_.begin()), .opened = opened_};
}

void KvVersions::close(ViewId view) {
  if (view.opened != 0 && view.slot < views_.size() && views_[view.slot].opened == view.opened) {
    drop(views_[view.slot]);
  }
}

Result<KvVersion, MachineFault> KvVersions::at(ViewId view) const {
  if (view == ViewId{}) {
    return live_;
  }
  if (view.opened == 0 || view.slot >= views_.size() || views_[view.slot].opened != view.opened) {
    return Failure<MachineFault>(MachineFault::view_lost);
  }
  return views_[view.slot].version;
}

void KvVersions::clear() {
  for (View& view : views_) {
    view = View{};
  }
  live_ = KvVersion{};
  forest_.clear();
}

bool KvVersions::give_up_version() {
  View* oldest = nullptr;
  for (View& view : views_) {
    if (view.opened != 0 && (oldest == nullptr || view.version.index < oldest->version.index)) {
      oldest = &view;
    }
  }
  if (oldest == nullptr) {
    return false;
  }
  drop(*oldest);
  ++views_lost_;
  return true;
}

void KvVersions::drop(View& view) {
  forest_.drop(view.version.user);
  forest_.drop(view.version.system);
  view = View{};
}

}  // namespace mallard::rsm
