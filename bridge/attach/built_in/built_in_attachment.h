// The attachment `built-in`: an RSM that Mallard runs itself, in the replica process on the same machine. All
// is said through that replica's door (transport/door/door_message.h); nothing is stored here.
//
// When the replica goes and comes back, the attachment attaches again, goes on with each tap behind the last
// batch that it got, and submits what is not applied once more, in order. What was applied already is a no-op
// at the machine by its cursor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bridge/attach/built_in/ring.h"
#include "bridge/gateway/attachment.h"
#include "config/base/payload_pool.h"
#include "transport/door/door_client.h"

namespace asio {
class io_context;
}

namespace mallard::bridge::built_in {

struct BuiltInSettings {
  struct Inbound {
    LinkIndex link;
    std::size_t applies_max = 65'536;  // the link's window in messages: more orders never wait
  };
  std::filesystem::path directory;  // the replica's
  ReplicaAddress self;              // the replica that must answer the door
  Incarnation incarnation;          // of this gateway process
  Epoch epoch;                      // of the own cluster
  std::vector<LinkIndex> outbound;
  std::vector<Inbound> inbound;
  // Batches of an outbound link that may be under way from the replica or wait in the pool, 1 or more. Each
  // takes up to batch_bytes_max with its proof.
  std::uint32_t read_ahead = 16;
  // Loads that the replica works on at a time, 1 or more; less than it allows unanswered.
  std::size_t loads_max = 16;
  transport::door::DoorClientLimits door;
  std::uint64_t seed = 0;  // of the redial jitter
};

// What happened to an inbound link when the fence of the replica's state was raised.
struct FenceNews {
  LinkIndex link;
  bool fenced =
      false;      // what this gateway orders is refused from now on; else it goes on under the new fence
  Fence ordered;  // of its orders until now
  Fence raised;   // the state's
};

struct BuiltInCallbacks {
  // The replica is not the one that this gateway was started for: another replica, or a link with another
  // generation. Nothing is reported after it; production ends the process, and the next one starts afresh.
  std::function<void(const std::string& what)> on_failure;
  // A link came into the state `fenced`, or out of it. May be empty.
  std::function<void(const FenceNews& news)> on_fence = {};
};

struct BuiltInStatus {
  bool attached = false;  // now
  std::uint64_t attaches = 0;
  std::string last_problem;              // why it is not, or last was not; empty: never failed
  Incarnation replica;                   // process behind the door, now or last
  std::uint64_t applies_repeated = 0;    // orders that were submitted again
  std::uint64_t batches_unexpected = 0;  // that did not continue a tap
  Fence fence;                           // of the replica's state, the newest that it told
};

class BuiltInAttachment final : public Attachment, private transport::door::DoorClientObserver {
 public:
  // Starts to connect from the io_context, on whose thread everything happens. `io` and `pool` outlive the
  // attachment.
  BuiltInAttachment(const BuiltInSettings& settings, asio::io_context& io, PayloadPool& pool,
                    BuiltInCallbacks callbacks);
  ~BuiltInAttachment() override;
  BuiltInAttachment(const BuiltInAttachment&) = delete;
  BuiltInAttachment& operator=(const BuiltInAttachment&) = delete;

  // True once the replica has told where every link stands: from then on generation(), fence() and the
  // functions of the port may be called. It stays true.
  [[nodiscard]] bool is_ready() const { return ready_; }
  // What the gateway's core must be started with.
  [[nodiscard]] Generation generation(LinkIndex link) const;
  [[nodiscard]] Fence fence() const { return fence_; }
  // The cluster was promoted since this gateway came, so that what it orders on the inbound link is refused
  // (design section 4, point 1): nothing is ordered any more. It ends when the cursor moves again, for only
  // orders of the new fence can have moved it: somebody let the link in again by starting a gateway after the
  // promotion, and this one follows under the new fence.
  [[nodiscard]] bool is_fenced(LinkIndex link) const;
  // Under which fence it orders there.
  [[nodiscard]] Fence ordering_fence(LinkIndex link) const;
  [[nodiscard]] const BuiltInStatus& status() const { return status_; }

  void tap_from(LinkIndex link, BatchNumber after) override;
  std::optional<StoredBatch> tap_next(LinkIndex link) override;
  LogExtent extent(LinkIndex link) override;
  void quacked(const Quacked& order) override;
  AppliedCursor cursor(LinkIndex link) override;
  void apply(const Apply& order) override;
  void load(const LoadBatch& order) override;
  std::optional<Applied> poll() override;
  std::optional<BatchLoaded> poll_loaded() override;

 private:
  struct Outbound {
    Outbound(LinkIndex its_link, std::size_t read_ahead) : link(its_link), ahead(read_ahead) {}
    LinkIndex link;
    Generation generation;  // 0: not told yet
    LogExtent extent;
    bool tapped = false;    // the core has asked for batches
    bool tap_told = false;  // on this connection
    std::uint32_t serial = 0;
    BatchNumber last;  // that came, or after which the tap starts
    Ring<StoredBatch> ahead;
    std::uint32_t credit = 0;  // to be told
    BatchNumber quacked;
    BatchNumber quacked_told;
  };
  struct Order {
    Apply apply;
    std::uint64_t bytes = 0;  // of its payload
  };
  struct Inbound {
    Inbound(LinkIndex its_link, std::size_t applies_max) : link(its_link), orders(applies_max) {}
    LinkIndex link;
    Generation generation;
    BatchNumber cursor;
    MessageNumber cursor_message;
    Fence fence;                  // its orders carry
    bool cursor_moved = false;    // poll() has something to say
    Ring<Order> orders;           // above the cursor
    std::size_t told = 0;         // of them, on this connection; at most door::applies_ahead_max
    std::size_t told_before = 0;  // of them, on any
  };
  struct PendingLoad {
    std::uint64_t request = 0;  // 0: answered
    LoadBatch order;
  };

  void on_open(const transport::door::Welcome& welcome) override;
  void on_message(const transport::door::DoorMessage& message) override;
  void on_room() override;
  void on_closed(transport::door::DoorEnd end) override;
  void on_failed(const std::string& what, const std::string& advice) override;

  void take(const transport::door::Standing& standing);
  void take(const transport::door::Attached& attached);
  void take(const transport::door::Batch& batch);
  void take(const transport::door::Extent& extent);
  void take(const transport::door::Applied& applied);
  void take(const transport::door::Loaded& loaded);
  void take(const transport::door::Fenced& fenced) { hear(fenced.fence); }

  void pump();
  bool tell(Outbound& link);
  bool tell(Inbound& link);
  bool tell_orders();
  bool tell_loads();
  void look_for_slots();
  void consider_ready();
  void hear(Fence fence);
  void follow_fence(Inbound& link);
  void take_back_orders(Inbound& link);
  void move_cursor(Inbound& link, BatchNumber cursor, MessageNumber message);
  bool agree(Generation& ours, Generation theirs, LinkIndex link);
  void restart_tap(Outbound& link);
  void answer_loads_with_nothing();
  void fail(const std::string& what);
  [[nodiscard]] Outbound* find_outbound(LinkIndex link);
  [[nodiscard]] Inbound* find_inbound(LinkIndex link);

  const BuiltInSettings settings_;
  PayloadPool& pool_;
  BuiltInCallbacks callbacks_;
  BuiltInStatus status_;
  bool ready_ = false;
  bool failed_ = false;
  Fence fence_;
  std::vector<Outbound> outbound_;
  std::vector<Inbound> inbound_;
  std::size_t next_inbound_ = 0;  // whom poll() asks first
  std::uint64_t told_bytes_ = 0;  // of orders that were told on this connection and have not been applied
  Ring<LoadBatch> loads_waiting_;
  std::vector<PendingLoad> loads_;  // settings_.loads_max
  std::uint64_t next_request_ = 1;
  Ring<BatchLoaded> loaded_;
  std::size_t pool_free_before_ = 0;
  transport::door::DoorClient door_;  // last: it calls back
};

}  // namespace mallard::bridge::built_in
