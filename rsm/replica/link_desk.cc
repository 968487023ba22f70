#include "rsm/replica/link_desk.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "rsm/machine/link_command.h"
#include "transport/door/apply_limits.h"
#include "transport/door/door_codec.h"

namespace mallard::rsm {

namespace door = transport::door;

namespace {

// What the machine refuses, it refuses for lack of room mostly: long enough that trying costs nothing, short
// enough for who has just made room.
constexpr Duration refusal_pause = Duration::milliseconds(500);

}  // namespace

LinkDesk::LinkDesk(const LinkDeskSettings& settings, const Ports& ports)
    : ports_(ports), egress_(settings.egress), lines_(settings.egress.links), command_(command_bytes_max) {
  for (Line& line : lines_) {
    line.orders.reserve(door::applies_ahead_max);
  }
  for (const LinkOpening& opening : settings.openings) {
    openings_.push_back({opening, std::nullopt});
  }
}

// ---- From the gateway.

bool LinkDesk::on_message(door::DoorConnection from, const door::DoorMessage& message) {
  if (std::holds_alternative<door::Attach>(message)) {
    attach(from);
    return false;
  }
  if (gateway_ == from) {
    if (const auto* apply = std::get_if<door::Apply>(&message)) {
      return take(from, *apply);
    }
    if (const auto* load = std::get_if<door::Load>(&message)) {
      // Bodies of inbound batches are not kept: the gateway asks the others of its cluster.
      ports_.door.send(from, door::Loaded{.request = load->request, .link = load->link});
    } else if (const auto* tap = std::get_if<door::Tap>(&message); tap && tap->link.value < lines_.size()) {
      lines_[tap->link.value].tap = {true, tap->serial, 0, tap->after.next()};
    } else if (const auto* credit = std::get_if<door::Credit>(&message);
               credit && credit->link.value < lines_.size()) {
      Tap& open = lines_[credit->link.value].tap;
      open.credit += open.open && open.serial == credit->serial ? credit->batches : 0;
    } else if (const auto* quacked = std::get_if<door::Quacked>(&message)) {
      egress_.forget(quacked->link, quacked->generation, quacked->through);
      tell_again_ = true;
    }
  }
  ports_.pool.release(door::body_of(message));
  return false;
}

void LinkDesk::attach(door::DoorConnection from) {
  if (gateway_) {
    on_closed(*gateway_);
  }
  gateway_ = from;
  std::uint16_t standings = 0;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const LinkIndex link(static_cast<std::uint16_t>(i));
    for (const LinkDirection direction : {LinkDirection::outbound, LinkDirection::inbound}) {
      standings = static_cast<std::uint16_t>(standings + (announce(link, direction) ? 1 : 0));
    }
  }
  told_fence_ = ports_.machine.fence();
  ports_.door.send(from, door::Attached{.standings = standings, .fence = told_fence_});
}

bool LinkDesk::announce(LinkIndex link, LinkDirection direction) {
  const auto standing = ports_.machine.link(link, direction);
  if (!standing) {
    return false;
  }
  Line& line = lines_[link.value];
  door::Standing message{.link = link,
                         .direction = direction,
                         .generation = standing->generation,
                         .batch = standing->batch,
                         .message = standing->message};
  const EgressExtent extent = direction == LinkDirection::outbound ? extent_of(link) : EgressExtent();
  message.oldest_readable = extent.oldest_readable;
  if (!ports_.door.send(*gateway_, message)) {
    tell_again_ = true;
  } else if (direction == LinkDirection::outbound) {
    line.told_extent = extent;
  } else {
    line.told_inbound = *standing;
  }
  return true;
}

bool LinkDesk::take(door::DoorConnection from, const door::Apply& apply) {
  const bool known = apply.link.value < lines_.size();
  Line* line = known ? &lines_[apply.link.value] : nullptr;
  const bool next =
      known && (line->orders.empty() || line->orders.back().apply.range.batch < apply.range.batch ||
                line->orders.back().apply.generation < apply.generation);
  // It was on its way when the fence was raised: nobody is to blame.
  const bool fenced = apply.fence < ports_.machine.fence();
  if (!next || fenced || line->orders.size() == door::applies_ahead_max) {
    ports_.pool.release(apply.payload);
    if (fenced) {
      ++counters_.applies_fenced;
    } else if (next) {
      ++counters_.gateways_cut_off;
      ports_.door.close(from);
    }
    return false;
  }
  line->orders.push_back({apply, std::nullopt});
  return true;
}

void LinkDesk::on_closed(door::DoorConnection from) {
  if (gateway_ != from) {
    return;
  }
  gateway_.reset();
  for (Line& line : lines_) {
    line.tap = {};
    drop_orders(line, line.orders.size());
  }
}

// ---- Applying.

void LinkDesk::drop_orders(Line& line, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    ports_.pool.release(line.orders[i].apply.payload);
  }
  line.orders.erase(line.orders.begin(), line.orders.begin() + static_cast<std::ptrdiff_t>(count));
}

// Orders that can have no effect any more: the cursor is beyond them, or the generation is, or the fence.
void LinkDesk::drop_applied(Line& line, const LinkStanding& standing) {
  std::size_t done = 0;
  while (done < line.orders.size()) {
    const door::Apply& apply = line.orders[done].apply;
    const bool applied = apply.generation == standing.generation && apply.range.batch <= standing.batch;
    const bool fenced = apply.fence < ports_.machine.fence();
    if (!applied && !fenced && apply.generation >= standing.generation) {
      break;
    }
    counters_.applies_fenced += fenced && !applied ? 1U : 0U;
    ++done;
  }
  drop_orders(line, done);
}

void LinkDesk::on_deposed(CommitIndex after) {
  for (Opening& opening : openings_) {
    if (opening.placed && *opening.placed > after) {
      opening.placed.reset();
    }
  }
  for (Line& line : lines_) {
    for (Order& order : line.orders) {
      if (order.placed && *order.placed > after) {
        order.placed.reset();
      }
    }
  }
}

// Any number of leaders may order the same: a generation is opened once.
bool LinkDesk::open_links(Engine& engine, Instant now) {
  bool busy = false;
  for (Opening& opening : openings_) {
    const LinkOpening& of = opening.of;
    if (opening.placed || ports_.machine.link(of.link, of.direction)) {
      continue;
    }
    const std::vector<std::string_view> prefixes(of.prefixes.begin(), of.prefixes.end());
    const auto placed = engine.propose(encode_link_open(of.link, of.direction, Generation(1), prefixes), now);
    if (!placed) {
      return busy;
    }
    opening.placed = *placed;
    busy = true;
  }
  return busy;
}

// The first order that waits was executed, and the cursor did not move: the machine had no room for it. It is
// tried alone until it passes; those behind it were executed in vain too, and follow at once then.
void LinkDesk::reconsider(LinkIndex link, Line& line, Instant now) {
  const auto in_vain = [this](const Order& order) {
    return order.placed && *order.placed <= ports_.machine.applied();
  };
  if (line.orders.empty() || !in_vain(line.orders.front())) {
    return;
  }
  if (const auto standing = ports_.machine.link(link, LinkDirection::inbound)) {
    drop_applied(line, *standing);
  }
  if (line.orders.empty() || !in_vain(line.orders.front())) {
    return;
  }
  Order& first = line.orders.front();
  if (line.refused == first.apply.range.batch) {
    if (now >= line.again_at) {
      line.again_at = now + refusal_pause;
      first.placed.reset();
    }
  } else if (line.refused.value != 0) {
    line.refused = {};
    for (Order& order : line.orders) {
      if (in_vain(order)) {
        order.placed.reset();
      }
    }
  } else {
    line.refused = first.apply.range.batch;
    line.again_at = now + refusal_pause;
    ++counters_.applies_refused;
  }
}

ByteView LinkDesk::command_of(const door::Apply& apply) {
  const ByteView body = ports_.pool.view(apply.payload);
  const std::size_t messages = body.size() - apply.proof_bytes;
  const LinkApplyOrder order{.link = apply.link,
                             .generation = apply.generation,
                             .fence = apply.fence,
                             .batch = apply.range.batch,
                             .first = apply.range.first,
                             .count = apply.range.count,
                             .messages = body.first(messages),
                             .proof = body.subspan(messages)};
  const ByteSpan command = ByteSpan(command_.data(), command_.size()).first(link_apply_bytes(order));
  write_link_apply(order, command);
  return command;
}

bool LinkDesk::propose(Engine& engine, Instant now) {
  if (!engine.is_leader()) {
    return false;
  }
  bool busy = open_links(engine, now);
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    Line& line = lines_[i];
    reconsider(LinkIndex(static_cast<std::uint16_t>(i)), line, now);
    for (Order& order : line.orders) {
      if (order.placed) {
        continue;
      }
      const auto placed = engine.propose(command_of(order.apply), now);
      if (!placed) {
        return busy;
      }
      order.placed = *placed;
      ++counters_.applies_proposed;
      busy = true;
    }
  }
  return busy;
}

// ---- To the gateway.

bool LinkDesk::tell_gateway() {
  bool busy = false;
  const bool executed = told_at_ != ports_.machine.applied();
  told_at_ = ports_.machine.applied();
  const bool moved = std::exchange(tell_again_, false) || executed;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const LinkIndex link(static_cast<std::uint16_t>(i));
    Line& line = lines_[i];
    busy = (moved && tell_applied(link, line)) || busy;
    if (gateway_) {
      busy = (moved && tell_extent(link, line)) || busy;
      busy = send_batches(link, line) || busy;
    }
  }
  return (moved && tell_fence()) || busy;
}

// What was applied before it was raised is told first: what moves a cursor later is of the new fence.
bool LinkDesk::tell_fence() {
  const Fence fence = ports_.machine.fence();
  if (!gateway_ || tell_again_ || fence <= told_fence_) {
    return false;
  }
  if (!ports_.door.send(*gateway_, door::Fenced{.fence = fence})) {
    tell_again_ = true;
    return false;
  }
  told_fence_ = fence;
  return true;
}

bool LinkDesk::tell_applied(LinkIndex link, Line& line) {
  const auto standing = ports_.machine.link(link, LinkDirection::inbound);
  if (!standing) {
    return false;
  }
  drop_applied(line, *standing);
  const bool opened = standing->generation != line.told_inbound.generation;
  if (!gateway_ || (!opened && standing->batch == line.told_inbound.batch)) {
    return false;
  }
  if (opened) {
    announce(link, LinkDirection::inbound);
    return true;
  }
  if (!ports_.door.send(*gateway_, door::Applied{.link = link,
                                                 .generation = standing->generation,
                                                 .cursor = standing->batch,
                                                 .cursor_message = standing->message})) {
    tell_again_ = true;
    return false;
  }
  line.told_inbound = *standing;
  return true;
}

// A link that has been opened and has no body here, yet or any more, reaches as far as the machine says.
EgressExtent LinkDesk::extent_of(LinkIndex link) const {
  const EgressExtent extent = egress_.extent(link);
  const auto standing = ports_.machine.link(link, LinkDirection::outbound);
  if (!standing || standing->generation == extent.generation) {
    return extent;
  }
  return {standing->generation, standing->batch.next(), standing->batch, standing->message};
}

bool LinkDesk::tell_extent(LinkIndex link, Line& line) {
  const EgressExtent extent = extent_of(link);
  if (extent.generation.value == 0 || extent == line.told_extent) {
    return false;
  }
  if (extent.generation != line.told_extent.generation) {
    announce(link, LinkDirection::outbound);
    return true;
  }
  if (!ports_.door.send(*gateway_, door::Extent{.link = link,
                                                .generation = extent.generation,
                                                .oldest_readable = extent.oldest_readable,
                                                .newest = extent.newest,
                                                .newest_message = extent.newest_message})) {
    tell_again_ = true;
    return false;
  }
  line.told_extent = extent;
  return true;
}

bool LinkDesk::send_batches(LinkIndex link, Line& line) {
  Tap& tap = line.tap;
  bool busy = false;
  while (tap.open && tap.credit > 0) {
    const auto batch = egress_.find(link, tap.next);
    if (!batch) {
      break;
    }
    const auto slot = ports_.pool.allocate(batch->bytes);
    if (!slot) {
      break;
    }
    egress_.copy(link, tap.next, ports_.pool.span(*slot));
    const bool sent =
        ports_.door.send(*gateway_, door::Batch{.link = link,
                                                .serial = tap.serial,
                                                .generation = egress_.extent(link).generation,
                                                .range = {batch->batch, batch->first, batch->count},
                                                .payload = *slot});
    ports_.pool.release(*slot);
    if (!sent) {
      break;
    }
    --tap.credit;
    tap.next = tap.next.next();
    ++counters_.batches_sent;
    busy = true;
  }
  return busy;
}

}  // namespace mallard::rsm
