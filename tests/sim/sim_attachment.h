// The model RSM at one replica, as its gateway sees it. As a source it has the cluster's log, a little
// behind; as a destination it applies batches in order, and a slow disk makes them durable some time later.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bridge/gateway/attachment.h"
#include "bridge/gateway/load_queue.h"
#include "config/base/payload_pool.h"
#include "tests/sim/stage.h"

namespace mallard::sim {

struct Replica;
class Watchers;

// What a replica's RSM knows of one link. `durable` survives a crash, the rest of `applied` may not.
struct LinkStore {
  BatchIndex applied = 0;          // destination: last batch applied
  BatchIndex durable = 0;          // destination: last batch that a crash cannot take away
  bool lost = false;               // destination: there was a cursor once
  BatchIndex newest = 0;           // source: how far this replica's log reaches
  BatchIndex oldest_readable = 1;  // source: from where on it can be read
};

class SimAttachment final : public bridge::Attachment {
 public:
  SimAttachment(Stage& stage, Watchers& watchers, Replica& replica, PayloadPool& pool);

  void tap_from(LinkIndex link, BatchNumber after) override;
  std::optional<bridge::StoredBatch> tap_next(LinkIndex link) override;
  bridge::LogExtent extent(LinkIndex link) override;
  bridge::AppliedCursor cursor(LinkIndex link) override;
  void apply(const bridge::Apply& order) override;
  void load(const bridge::LoadBatch& order) override;
  std::optional<bridge::Applied> poll() override;
  std::optional<bridge::BatchLoaded> poll_loaded() override;

  // The disk has finished what it was asked to sync.
  void sync_done(std::uint32_t link);
  // How many batches were read back.
  [[nodiscard]] std::uint64_t loads() const { return loads_; }

 private:
  void start_sync(std::uint32_t link);
  std::optional<bridge::StoredBatch> fetch(std::uint32_t link, BatchIndex index);

  Stage& stage_;
  Watchers& watchers_;
  Replica& replica_;
  PayloadPool& pool_;
  struct Link {
    BatchIndex tap = 0;         // last batch handed to the gateway
    BatchIndex syncing = 0;     // what the sync under way covers; 0: none
    bool cursor_moved = false;  // poll() has something to say
  };
  std::vector<Link> links_;
  bridge::LoadQueue orders_;
  std::uint64_t loads_ = 0;
};

}  // namespace mallard::sim
