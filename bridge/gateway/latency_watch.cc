#include "bridge/gateway/latency_watch.h"

#include <algorithm>
#include <bit>
#include <variant>

#include "config/base/invariant.h"

namespace mallard::bridge {

LatencyWatch::LatencyWatch(const BridgeSettings& settings) {
  links_.reserve(settings.links.size());
  for (const LinkSettings& link : settings.links) {
    links_.push_back({.link = link.link,
                      .done = link.cursor.value,
                      .begun = std::vector<Instant>(std::bit_ceil(link.window_messages)),
                      .taken = {}});
  }
}

void LatencyWatch::on_event(const Event& event, Instant now) {
  if (const auto* committed = std::get_if<BatchCommitted>(&event)) {
    begin(committed->link, committed->header.batch, now);
  } else if (const auto* applied = std::get_if<Applied>(&event)) {
    end(applied->link, applied->cursor, now);
  }
}

void LatencyWatch::on_effect(const Effect& effect, Instant now) {
  if (const auto* arrived = std::get_if<CheckCertificate>(&effect)) {
    begin(arrived->link, arrived->header.batch, now);
  } else if (const auto* quacked = std::get_if<Quacked>(&effect)) {
    end(quacked->link, quacked->through, now);
  }
}

const transport::LatencyHistogram& LatencyWatch::of(LinkIndex link) const {
  const auto found = std::ranges::find(links_, link, &Watched::link);
  MALLARD_INVARIANT(found != links_.end());
  return found->taken;
}

LatencyWatch::Watched* LatencyWatch::find(LinkIndex link) {
  const auto found = std::ranges::find(links_, link, &Watched::link);
  return found == links_.end() ? nullptr : &*found;
}

// Further copies of a batch do not start it again.
void LatencyWatch::begin(LinkIndex link, BatchNumber batch, Instant now) {
  Watched* watched = find(link);
  if (watched == nullptr || batch.value <= watched->done) {
    return;
  }
  Instant& begun = watched->begun[batch.value % watched->begun.size()];
  if (begun == Instant{}) {
    begun = now;
  }
}

void LatencyWatch::end(LinkIndex link, BatchNumber through, Instant now) {
  Watched* watched = find(link);
  if (watched == nullptr || through.value <= watched->done) {
    return;
  }
  const std::size_t slots = watched->begun.size();
  // What is begun lies within one window, however far a tap or a peer's storage went past it.
  const std::uint64_t ended = std::min<std::uint64_t>(through.value - watched->done, slots);
  for (std::uint64_t batch = through.value - ended + 1; batch <= through.value; ++batch) {
    Instant& begun = watched->begun[batch % slots];
    if (begun != Instant{}) {
      watched->taken.observe(now - begun);
      begun = Instant{};
    }
  }
  watched->done = through.value;
}

}  // namespace mallard::bridge
