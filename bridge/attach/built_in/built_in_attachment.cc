#include "bridge/attach/built_in/built_in_attachment.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "bridge/gateway/load_queue.h"
#include "config/base/invariant.h"
#include "transport/door/apply_limits.h"
#include "transport/door/door_codec.h"
#include "transport/door/door_socket.h"

namespace mallard::bridge::built_in {
namespace {

namespace door = transport::door;

door::DoorClientSettings door_settings(const BuiltInSettings& settings) {
  return {.path = door::door_path(settings.directory),
          .role = door::Role::gateway,
          .limits = settings.door,
          .seed = settings.seed};
}

BatchHeader header_of(const door::BatchRange& range) {
  return {.batch = range.batch, .first = range.first, .count = range.count};
}

door::Apply message_of(const Apply& order, Fence fence) {
  return {.link = order.context.link,
          .generation = order.context.generation,
          .source_epoch = order.context.source_epoch,
          .destination_epoch = order.context.destination_epoch,
          .fence = fence,
          .range = {.batch = order.header.batch, .first = order.header.first, .count = order.header.count},
          .proof_bytes = order.proof_bytes,
          .payload = order.payload};
}

template <class Links>
auto* find_link(Links& links, LinkIndex link) {
  const auto found =
      std::find_if(links.begin(), links.end(), [link](const auto& l) { return l.link == link; });
  return found == links.end() ? nullptr : &*found;
}

}  // namespace

BuiltInAttachment::BuiltInAttachment(const BuiltInSettings& settings, asio::io_context& io, PayloadPool& pool,
                                     BuiltInCallbacks callbacks)
    : settings_(settings),
      pool_(pool),
      callbacks_(std::move(callbacks)),
      loads_waiting_(LoadQueue::loads_max),
      loads_(settings.loads_max),
      loaded_(2 * LoadQueue::loads_max + settings.loads_max),
      door_(door_settings(settings), {io, pool, *this}) {
  outbound_.reserve(settings.outbound.size());
  for (const LinkIndex link : settings.outbound) {
    outbound_.emplace_back(link, settings.read_ahead);
    outbound_.back().extent.link = link;
  }
  inbound_.reserve(settings.inbound.size());
  for (const BuiltInSettings::Inbound& link : settings.inbound) {
    inbound_.emplace_back(link.link, link.applies_max);
  }
}

BuiltInAttachment::~BuiltInAttachment() {
  for (Outbound& link : outbound_) {
    while (!link.ahead.empty()) {
      pool_.release(link.ahead.pop().payload);
    }
  }
  while (!loaded_.empty()) {
    pool_.release(loaded_.pop().payload);
  }
}

Generation BuiltInAttachment::generation(LinkIndex link) const {
  const Outbound* const outbound = find_link(outbound_, link);
  const Inbound* const inbound = find_link(inbound_, link);
  MALLARD_INVARIANT(ready_ && (outbound != nullptr || inbound != nullptr));
  return outbound != nullptr ? outbound->generation : inbound->generation;
}

// ---- The port ----------------------------------------------------------------------------------------

void BuiltInAttachment::tap_from(LinkIndex link, BatchNumber after) {
  Outbound* const outbound = find_outbound(link);
  MALLARD_INVARIANT(outbound != nullptr);
  while (!outbound->ahead.empty()) {
    pool_.release(outbound->ahead.pop().payload);
  }
  outbound->tapped = true;
  outbound->last = after;
  restart_tap(*outbound);
  pump();
}

std::optional<StoredBatch> BuiltInAttachment::tap_next(LinkIndex link) {
  Outbound* const outbound = find_outbound(link);
  MALLARD_INVARIANT(outbound != nullptr);
  if (failed_ || outbound->ahead.empty()) {
    return std::nullopt;
  }
  const StoredBatch batch = outbound->ahead.pop();
  ++outbound->credit;
  tell(*outbound);
  return batch;
}

LogExtent BuiltInAttachment::extent(LinkIndex link) {
  look_for_slots();
  return find_outbound(link)->extent;
}

void BuiltInAttachment::quacked(const Quacked& order) {
  Outbound* const outbound = find_outbound(order.link);
  MALLARD_INVARIANT(outbound != nullptr);
  outbound->quacked = std::max(outbound->quacked, order.through);
  tell(*outbound);
}

AppliedCursor BuiltInAttachment::cursor(LinkIndex link) {
  const Inbound* const inbound = find_inbound(link);
  MALLARD_INVARIANT(ready_ && inbound != nullptr);
  return {.batch = inbound->cursor, .message = inbound->cursor_message};
}

void BuiltInAttachment::apply(const Apply& order) {
  Inbound* const inbound = find_inbound(order.context.link);
  MALLARD_INVARIANT(inbound != nullptr);
  // Another gateway's order may have been faster: nothing is left to do, and poll() says or has said so.
  if (order.header.batch <= inbound->cursor) {
    return;
  }
  inbound->orders.push({order, pool_.view(order.payload).size()});
  tell(*inbound);
}

void BuiltInAttachment::load(const LoadBatch& order) {
  if (loads_waiting_.full() || !door_.is_open()) {
    loaded_.push(answer_to(order, std::nullopt));
    return;
  }
  loads_waiting_.push(order);
  static_cast<void>(tell_loads());
}

std::optional<Applied> BuiltInAttachment::poll() {
  look_for_slots();
  for (std::size_t i = 0; i < inbound_.size(); ++i) {
    Inbound& link = inbound_[next_inbound_];
    next_inbound_ = (next_inbound_ + 1) % inbound_.size();
    if (std::exchange(link.cursor_moved, false) && !failed_) {
      return Applied{.link = link.link, .cursor = link.cursor, .cursor_message = link.cursor_message};
    }
  }
  return std::nullopt;
}

std::optional<BatchLoaded> BuiltInAttachment::poll_loaded() {
  if (loaded_.empty()) {
    return std::nullopt;
  }
  return loaded_.pop();
}

// ---- What the replica says ---------------------------------------------------------------------------

void BuiltInAttachment::on_open(const door::Welcome& welcome) {
  status_.replica = welcome.incarnation;
  if (welcome.replica != settings_.self) {
    fail("another replica answers the door in " + settings_.directory.string());
    return;
  }
  MALLARD_INVARIANT(door_.send(door::Attach{.incarnation = settings_.incarnation, .epoch = settings_.epoch}));
}

void BuiltInAttachment::on_message(const door::DoorMessage& message) {
  if (failed_) {
    pool_.release(door::body_of(message));
    return;
  }
  std::visit(
      [this](const auto& said) {
        if constexpr (requires { take(said); }) {
          take(said);
        } else {
          pool_.release(door::body_of(said));
        }
      },
      message);
}

void BuiltInAttachment::on_room() { pump(); }

void BuiltInAttachment::on_closed(door::DoorEnd end) {
  status_.attached = false;
  status_.last_problem = "the connection to the replica ended: " + std::string(door::door_end_name(end));
  answer_loads_with_nothing();
}

void BuiltInAttachment::on_failed(const std::string& what, const std::string& /*advice*/) {
  status_.last_problem = what;
}

void BuiltInAttachment::take(const door::Standing& standing) {
  if (standing.direction == LinkDirection::outbound) {
    if (Outbound* const link = find_outbound(standing.link);
        link != nullptr && agree(link->generation, standing.generation, link->link)) {
      take(door::Extent{.link = standing.link,
                        .generation = standing.generation,
                        .oldest_readable = standing.oldest_readable,
                        .newest = standing.batch,
                        .newest_message = standing.message});
    }
  } else if (Inbound* const link = find_inbound(standing.link);
             link != nullptr && agree(link->generation, standing.generation, link->link)) {
    move_cursor(*link, standing.batch, standing.message);
  }
  if (status_.attached) {
    consider_ready();
  }
}

void BuiltInAttachment::take(const door::Attached& attached) {
  status_.attached = true;
  ++status_.attaches;
  hear(attached.fence);
  for (Outbound& link : outbound_) {
    link.quacked_told = BatchNumber(0);
    restart_tap(link);
  }
  for (Inbound& link : inbound_) {
    take_back_orders(link);
  }
  consider_ready();
  pump();
}

void BuiltInAttachment::take(const door::Batch& batch) {
  Outbound* const link = find_outbound(batch.link);
  if (link == nullptr || !link->tapped || batch.serial != link->serial ||
      batch.generation != link->generation) {
    pool_.release(batch.payload);
    return;
  }
  if (batch.range.batch != link->last.next() || link->ahead.full()) {
    pool_.release(batch.payload);
    ++status_.batches_unexpected;
    restart_tap(*link);
    pump();
    return;
  }
  link->last = batch.range.batch;
  link->ahead.push(
      {.header = header_of(batch.range), .payload = batch.payload, .proof_bytes = batch.proof_bytes});
}

void BuiltInAttachment::take(const door::Extent& extent) {
  Outbound* const link = find_outbound(extent.link);
  if (link == nullptr || !agree(link->generation, extent.generation, extent.link)) {
    return;
  }
  // A replica that has lost its log is behind until it has caught up; the core's extent never goes back.
  LogExtent& known = link->extent;
  known.oldest_readable = std::max(known.oldest_readable, extent.oldest_readable);
  if (extent.newest > known.newest) {
    known.newest = extent.newest;
    known.newest_message = extent.newest_message;
  }
}

void BuiltInAttachment::take(const door::Applied& applied) {
  Inbound* const link = find_inbound(applied.link);
  if (link != nullptr && agree(link->generation, applied.generation, applied.link)) {
    move_cursor(*link, applied.cursor, applied.cursor_message);
    static_cast<void>(tell_orders());
  }
}

void BuiltInAttachment::take(const door::Loaded& loaded) {
  const auto pending = std::find_if(loads_.begin(), loads_.end(), [&](const PendingLoad& p) {
    return p.request == loaded.request && p.order.link == loaded.link;
  });
  if (pending == loads_.end() || (loaded.found && loaded.range.batch != pending->order.batch)) {
    pool_.release(loaded.payload);
    return;
  }
  std::optional<StoredBatch> found;
  if (loaded.found) {
    found = StoredBatch{
        .header = header_of(loaded.range), .payload = loaded.payload, .proof_bytes = loaded.proof_bytes};
  }
  loaded_.push(answer_to(pending->order, found));
  pending->request = 0;
  static_cast<void>(tell_loads());
}

// ---- What is to be said ------------------------------------------------------------------------------

// Goes on wherever the queue of the door was full, or the connection new. Orders come last: they are many,
// and what is before them is little.
void BuiltInAttachment::pump() {
  static_cast<void>(
      std::all_of(outbound_.begin(), outbound_.end(), [this](Outbound& link) { return tell(link); }) &&
      tell_loads() && tell_orders());
}

// False when the door takes no more for now.
bool BuiltInAttachment::tell_orders() {
  return std::all_of(inbound_.begin(), inbound_.end(), [this](Inbound& link) { return tell(link); });
}

// False when the door takes no more for now.
bool BuiltInAttachment::tell(Outbound& link) {
  if (!status_.attached || failed_) {
    return false;
  }
  if (link.tapped && !link.tap_told) {
    if (!door_.send(door::Tap{.link = link.link, .serial = link.serial, .after = link.last})) {
      return false;
    }
    link.tap_told = true;
  }
  // Half of the read-ahead at a time, so that credit is not a message for each batch.
  if (link.tap_told && link.credit >= (settings_.read_ahead + 1) / 2) {
    if (!door_.send(door::Credit{.link = link.link, .serial = link.serial, .batches = link.credit})) {
      return false;
    }
    link.credit = 0;
  }
  if (link.quacked > link.quacked_told) {
    if (!door_.send(
            door::Quacked{.link = link.link, .generation = link.generation, .through = link.quacked})) {
      return false;
    }
    link.quacked_told = link.quacked;
  }
  return true;
}

bool BuiltInAttachment::tell(Inbound& link) {
  if (!status_.attached || failed_) {
    return false;
  }
  if (link.fence < status_.fence) {
    return true;  // it would be refused
  }
  while (link.told < link.orders.size() && link.told < door::applies_ahead_max) {
    const Order& order = link.orders[link.told];
    if (link.told > 0 && told_bytes_ + order.bytes > door::apply_bytes_ahead_max) {
      break;
    }
    if (!door_.send(message_of(order.apply, link.fence))) {
      return false;
    }
    told_bytes_ += order.bytes;
    status_.applies_repeated += link.told < link.told_before ? 1U : 0U;
    ++link.told;
  }
  return true;
}

bool BuiltInAttachment::tell_loads() {
  for (PendingLoad& pending : loads_) {
    if (pending.request != 0 || loads_waiting_.empty()) {
      continue;
    }
    const LoadBatch& order = loads_waiting_[0];
    if (!status_.attached ||
        !door_.send(door::Load{.request = next_request_, .link = order.link, .batch = order.batch})) {
      return false;
    }
    pending = {.request = next_request_++, .order = loads_waiting_.pop()};
  }
  return true;
}

// Once a turn: the core may have given slots back. Only where the pool has changed: an attempt is a call of
// the loop, which ends its wait, so that one in each turn would keep the loop from sleeping while the pool is
// full. What this misses, because slots were taken and given back since, the door tries again by itself.
void BuiltInAttachment::look_for_slots() {
  const std::size_t free_bytes = pool_.free_bytes();
  if (free_bytes != pool_free_before_) {
    pool_free_before_ = free_bytes;
    door_.retry_reading();
  }
}

// ---- State -------------------------------------------------------------------------------------------

void BuiltInAttachment::consider_ready() {
  const auto told = [](const auto& link) { return link.generation.value != 0; };
  ready_ = ready_ || (std::all_of(outbound_.begin(), outbound_.end(), told) &&
                      std::all_of(inbound_.begin(), inbound_.end(), told));
}

// The replica does not hold them any more.
void BuiltInAttachment::take_back_orders(Inbound& link) {
  link.told_before = std::max(link.told_before, link.told);
  for (; link.told > 0; --link.told) {
    told_bytes_ -= link.orders[link.told - 1].bytes;
  }
}

void BuiltInAttachment::move_cursor(Inbound& link, BatchNumber cursor, MessageNumber message) {
  if (cursor <= link.cursor) {
    return;
  }
  follow_fence(link);
  link.cursor = cursor;
  link.cursor_message = message;
  link.cursor_moved = ready_;  // before, cursor() tells
  while (!link.orders.empty() && link.orders[0].apply.header.batch <= cursor) {
    const Order order = link.orders.pop();
    if (link.told > 0) {
      --link.told;
      told_bytes_ -= order.bytes;
    }
    link.told_before -= std::min<std::size_t>(link.told_before, 1);
  }
}

// The first generation that is told is the one that the core numbers by.
bool BuiltInAttachment::agree(Generation& ours, Generation theirs, LinkIndex link) {
  if (ours.value == 0) {
    ours = theirs;
  }
  if (ours != theirs) {
    fail("link " + std::to_string(link.value) + " was opened anew: generation " +
         std::to_string(theirs.value) + ", and this gateway works on " + std::to_string(ours.value));
  }
  return ours == theirs;
}

void BuiltInAttachment::restart_tap(Outbound& link) {
  ++link.serial;
  link.tap_told = false;
  link.credit = static_cast<std::uint32_t>(settings_.read_ahead - link.ahead.size());
}

void BuiltInAttachment::answer_loads_with_nothing() {
  for (PendingLoad& pending : loads_) {
    if (std::exchange(pending.request, 0) != 0) {
      loaded_.push(answer_to(pending.order, std::nullopt));
    }
  }
  while (!loads_waiting_.empty()) {
    loaded_.push(answer_to(loads_waiting_.pop(), std::nullopt));
  }
}

void BuiltInAttachment::fail(const std::string& what) {
  if (!std::exchange(failed_, true)) {
    status_.last_problem = what;
    callbacks_.on_failure(what);
  }
}

BuiltInAttachment::Outbound* BuiltInAttachment::find_outbound(LinkIndex link) {
  return find_link(outbound_, link);
}

BuiltInAttachment::Inbound* BuiltInAttachment::find_inbound(LinkIndex link) {
  return find_link(inbound_, link);
}

}  // namespace mallard::bridge::built_in
