#include "rsm/replica/command_desk.h"

#include "rsm/machine/kv_command.h"

namespace mallard::rsm {

namespace door = transport::door;
using door::ReplyStatus;

CommandDesk::CommandDesk(const CommandDeskSettings& settings, PayloadPool& pool, DoorPort& door)
    : prefixes_(settings.client_prefixes),
      prefix_views_(prefixes_.begin(), prefixes_.end()),
      pool_(pool),
      door_(door),
      scratch_(reply_bytes_max) {
  waiting_.places.resize(settings.waiting_max);
  placed_.places.resize(settings.waiting_max);
}

bool CommandDesk::submit(door::DoorConnection from, const door::DoorPeer& peer, const door::Submit& submit) {
  ++counters_.submitted;
  const Waiting one{from, submit.request, submit.command, CommitIndex()};
  std::optional<ReplyStatus> refusal;
  if (!is_allowed(peer, pool_.span(submit.command))) {
    refusal = ReplyStatus::refused;
  } else if (waiting_.full()) {
    refusal = ReplyStatus::busy;
  }
  if (refusal) {
    pool_.release(submit.command);
    reply(one, *refusal);
    return false;
  }
  waiting_.push(one);
  return true;
}

void CommandDesk::read(door::DoorConnection from, const door::DoorPeer& peer, const door::Submit& submit,
                       Machine& machine) {
  ++counters_.submitted;
  const Waiting one{from, submit.request, {}, CommitIndex()};
  const ByteSpan command = pool_.span(submit.command);
  const bool allowed = is_allowed(peer, command) && machine.is_read(command);
  const auto bytes = allowed
                         ? machine.query(ViewId{}, command, scratch_)
                         : Result<std::size_t, MachineFault>(Failure<MachineFault>(MachineFault::view_lost));
  pool_.release(submit.command);
  if (!bytes) {
    reply(one, ReplyStatus::refused);
    return;
  }
  ++counters_.local_reads;
  reply_done(one, ByteView(scratch_).first(*bytes), ReplyStatus::busy);
}

// The owner of a session is whom the kernel saw at the other end, whatever the command says.
bool CommandDesk::is_allowed(const door::DoorPeer& peer, ByteSpan command) const {
  const auto decoded = decode_command(command);
  if (!decoded) {
    return false;
  }
  write_owner(command, peer.caller.user);
  return peer.role == door::Role::operations || is_within(*decoded, prefix_views_);
}

bool CommandDesk::propose(Engine& engine, Instant now) {
  bool moved = false;
  while (waiting_.count > 0 && !placed_.full()) {
    Waiting one = waiting_.front();
    const auto placed = engine.propose(pool_.view(one.command), now);
    if (!placed && placed.error() != cft::Refusal::not_leader && placed.error() != cft::Refusal::too_large) {
      break;
    }
    moved = true;
    waiting_.pop_front();
    pool_.release(one.command);
    if (placed) {
      one.index = *placed;
      placed_.push(one);
    } else {
      const bool too_large = placed.error() == cft::Refusal::too_large;
      reply(one, too_large ? ReplyStatus::refused : ReplyStatus::not_leader);
    }
  }
  return moved;
}

bool CommandDesk::waits_for(CommitIndex index) const {
  return placed_.count > 0 && placed_.front().index == index;
}

void CommandDesk::answer(CommitIndex index, ByteView bytes) {
  if (!waits_for(index)) {
    return;
  }
  const Waiting one = placed_.front();
  placed_.pop_front();
  // Without room it is executed all the same, but what came of it cannot be said.
  reply_done(one, bytes, ReplyStatus::unknown_outcome);
}

void CommandDesk::reply_done(const Waiting& to, ByteView bytes, ReplyStatus without_room) {
  const auto body = pool_.allocate(bytes.size());
  if (!body) {
    reply(to, without_room);
    return;
  }
  ByteWriter(pool_.span(*body)).write_bytes(bytes);
  reply(to, ReplyStatus::done, *body);
  pool_.release(*body);
}

void CommandDesk::give_up(CommitIndex after) {
  while (placed_.count > 0 && placed_.back().index > after) {
    reply(placed_.back(), ReplyStatus::unknown_outcome);
    placed_.pop_back();
  }
}

void CommandDesk::reply(const Waiting& to, ReplyStatus status, PayloadRef bytes) {
  switch (status) {
    case ReplyStatus::done:
      ++counters_.done;
      break;
    case ReplyStatus::not_leader:
      ++counters_.not_leader;
      break;
    case ReplyStatus::busy:
      ++counters_.busy;
      break;
    case ReplyStatus::unknown_outcome:
      ++counters_.unknown_outcome;
      break;
    case ReplyStatus::refused:
      ++counters_.refused;
      break;
  }
  door::Reply reply{.request = to.request, .status = status, .bytes = bytes};
  if (status == ReplyStatus::not_leader && leader_) {
    reply.leader_known = true;
    reply.leader = ReplicaIndex(leader_->value);
  }
  door_.send(to.from, reply);
}

}  // namespace mallard::rsm
