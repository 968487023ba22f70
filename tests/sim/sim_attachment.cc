#include "tests/sim/sim_attachment.h"

#include <algorithm>

#include "config/base/invariant.h"
#include "tests/sim/replica.h"
#include "tests/sim/watchers.h"

namespace mallard::sim {

SimAttachment::SimAttachment(Stage& stage, Watchers& watchers, Replica& replica, PayloadPool& pool)
    : stage_(stage), watchers_(watchers), replica_(replica), pool_(pool), links_(stage.links.size()) {}

void SimAttachment::tap_from(LinkIndex link, BatchNumber after) {
  const PortScope scope(stage_);
  links_[link.value].tap = stage_.links[link.value].index_of(after);
}

std::optional<bridge::StoredBatch> SimAttachment::fetch(std::uint32_t link, BatchIndex index) {
  const LinkTruth& truth = stage_.links[link];
  const std::optional<PayloadRef> slot = pool_.allocate(truth.bytes(index));
  if (!slot) {
    return std::nullopt;
  }
  truth.write(index, pool_.span(*slot));
  return bridge::StoredBatch{.header = truth.header(index),
                             .payload = *slot,
                             .proof_bytes = static_cast<std::uint16_t>(truth.shape().proof_bytes)};
}

std::optional<bridge::StoredBatch> SimAttachment::tap_next(LinkIndex link) {
  const PortScope scope(stage_);
  const LinkStore& store = replica_.stores[link.value];
  Link& state = links_[link.value];
  if (state.tap >= store.newest || state.tap + 1 < store.oldest_readable) {
    return std::nullopt;
  }
  std::optional<bridge::StoredBatch> batch = fetch(link.value, state.tap + 1);
  if (batch) {
    ++state.tap;
    watchers_.tell(&Checker::on_tapped, replica_, std::uint32_t{link.value}, state.tap, batch->payload);
  }
  return batch;
}

bridge::LogExtent SimAttachment::extent(LinkIndex link) {
  const PortScope scope(stage_);
  const LinkStore& store = replica_.stores[link.value];
  const LinkTruth& truth = stage_.links[link.value];
  return {.link = link,
          .oldest_readable = truth.number(store.oldest_readable),
          .newest = truth.number(store.newest),
          .newest_message = truth.last_message(store.newest)};
}

bridge::AppliedCursor SimAttachment::cursor(LinkIndex link) {
  const LinkStore& store = replica_.stores[link.value];
  const LinkTruth& truth = stage_.links[link.value];
  return {.batch = truth.number(store.durable),
          .message = truth.last_message(store.durable),
          .storage_lost = store.lost};
}

void SimAttachment::apply(const bridge::Apply& order) {
  const PortScope scope(stage_);
  watchers_.tell(&Checker::on_apply, replica_, order, pool_.view(order.payload));
  const std::uint32_t link = order.context.link.value;
  const BatchIndex index = stage_.links[link].index_of(order.header.batch);
  LinkStore& store = replica_.stores[link];
  if (index == store.applied + 1) {  // else it is a no-op, and a checker has said so
    store.applied = index;
  }
  if (links_[link].syncing == 0) {
    start_sync(link);
  }
}

void SimAttachment::start_sync(std::uint32_t link) {
  const SwarmOptions& options = stage_.options;
  links_[link].syncing = replica_.stores[link].applied;
  const Nanos takes = (options.sync_min + stage_.choices.draw(Stream::disk, options.sync_spread + 1)) *
                      replica_.disk_slowness;
  stage_.schedule(takes,
                  {.b = replica_.lives, .a = link, .replica = replica_.id, .what = Happening::sync_done});
}

void SimAttachment::sync_done(std::uint32_t link) {
  LinkStore& store = replica_.stores[link];
  store.durable = std::max(store.durable, links_[link].syncing);
  links_[link].syncing = 0;
  links_[link].cursor_moved = true;
  watchers_.tell(&Checker::on_durable, replica_, link);
  if (store.applied > store.durable) {
    start_sync(link);
  }
}

void SimAttachment::load(const bridge::LoadBatch& order) { orders_.push(order); }

std::optional<bridge::BatchLoaded> SimAttachment::poll_loaded() {
  const std::optional<bridge::LoadBatch> order = orders_.pop();
  if (!order) {
    return std::nullopt;
  }
  const PortScope scope(stage_);
  const BatchIndex index = stage_.links[order->link.value].index_of(order->batch);
  if (index == 0 || index > replica_.stores[order->link.value].applied) {
    return answer_to(*order, std::nullopt);
  }
  const std::optional<bridge::StoredBatch> found = fetch(order->link.value, index);
  if (found) {
    stage_.marks.hit(Mark::pull_served_from_storage);
    ++loads_;
  }
  return answer_to(*order, found);
}

std::optional<bridge::Applied> SimAttachment::poll() {
  for (std::uint32_t link = 0; link < links_.size(); ++link) {
    if (links_[link].cursor_moved) {
      links_[link].cursor_moved = false;
      const LinkTruth& truth = stage_.links[link];
      const BatchIndex durable = replica_.stores[link].durable;
      return bridge::Applied{.link = truth.shape().link,
                             .cursor = truth.number(durable),
                             .cursor_message = truth.last_message(durable)};
    }
  }
  return std::nullopt;
}

}  // namespace mallard::sim
