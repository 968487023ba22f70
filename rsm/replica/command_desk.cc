#include "rsm/replica/command_desk.h"

#include "config/base/invariant.h"
#include "rsm/machine/kv_command.h"

namespace mallard::rsm {

namespace door = transport::door;
using door::ReplyStatus;

namespace {

// A larger answer to a read leaves half of the pool to commands, batches and snapshots.
constexpr std::size_t small_answer_bytes = 64U << 10;

}  // namespace

CommandDesk::CommandDesk(const CommandDeskSettings& settings, const Ports& ports)
    : clients_(settings.clients), ports_(ports), scratch_(reply_bytes_max) {
  for (const ClientGrant& client : clients_) {
    prefixes_.emplace_back(client.prefixes.begin(), client.prefixes.end());
  }
  waiting_.places.resize(settings.waiting_max);
  placed_.places.resize(settings.waiting_max);
  reads_.places.resize(settings.waiting_max);
}

bool CommandDesk::submit(door::DoorConnection from, const door::DoorPeer& peer, const door::Submit& submit) {
  ++counters_.submitted;
  Waiting one{.from = from, .request = submit.request, .command = submit.command};
  const ByteSpan command = ports_.pool.span(submit.command);
  const bool is_read = ports_.machine.is_read(command);
  Queue& queue = is_read ? reads_ : waiting_;
  std::optional<ReplyStatus> refusal = refusal_of(peer, command);
  if (!refusal && queue.full()) {
    refusal = ReplyStatus::busy;
  }
  if (refusal) {
    ports_.pool.release(submit.command);
    reply(one, *refusal);
    return false;
  }
  one.read = is_read ? ++reads_taken_ : 0;
  queue.push(one);
  return !is_read;
}

void CommandDesk::read_locally(door::DoorConnection from, const door::DoorPeer& peer,
                               const door::Submit& submit) {
  ++counters_.submitted;
  const Waiting one{.from = from, .request = submit.request};
  const ByteSpan command = ports_.pool.span(submit.command);
  if (const auto refusal = refusal_of(peer, command)) {
    reply(one, *refusal);
  } else if (!ports_.machine.is_read(command)) {
    reply(one, ReplyStatus::refused);
  } else {
    ++counters_.local_reads;
    reply_with_query(one, command);
  }
  ports_.pool.release(submit.command);
}

// The owner of a session is whom the kernel saw at the other end, or whose key was proved there, whatever the
// command says.
std::optional<ReplyStatus> CommandDesk::refusal_of(const door::DoorPeer& peer, ByteSpan command) const {
  const auto decoded = decode_command(command);
  if (!decoded) {
    return ReplyStatus::refused;
  }
  write_owner(command, peer.client ? clients_.at(*peer.client).owner : peer.caller.user);
  const bool is_allowed = peer.client ? is_within(*decoded, prefixes_.at(*peer.client))
                                      : peer.role == door::Role::operations || is_within(*decoded, {});
  return is_allowed ? std::nullopt : std::optional(ReplyStatus::forbidden);
}

bool CommandDesk::propose(Engine& engine, Instant now) {
  if (reads_asked_ < reads_taken_) {
    reads_asked_ = reads_taken_;
    engine.ask_read(reads_asked_, now);
  }
  bool moved = false;
  while (waiting_.count > 0 && !placed_.full()) {
    Waiting one = waiting_.front();
    const auto placed = engine.propose(ports_.pool.view(one.command), now);
    if (!placed && placed.error() != cft::Refusal::not_leader && placed.error() != cft::Refusal::too_large) {
      break;
    }
    moved = true;
    waiting_.pop_front();
    ports_.pool.release(one.command);
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

void CommandDesk::confirm_reads(std::uint64_t read, CommitIndex index) {
  while (confirmed_ < reads_.count && reads_.at(confirmed_).read <= read) {
    reads_.at(confirmed_++).index = index;
  }
}

// Also those that the engine was not asked for: it would say the same.
void CommandDesk::turn_away_reads() {
  while (reads_.count > confirmed_) {
    ports_.pool.release(reads_.back().command);
    reply(reads_.back(), ReplyStatus::not_leader);
    reads_.pop_back();
  }
  reads_asked_ = reads_taken_;
}

bool CommandDesk::answer_reads(CommitIndex executed) {
  std::uint32_t answered = 0;
  while (confirmed_ > 0 && reads_.front().index <= executed && answered < reads_per_turn) {
    const Waiting one = reads_.front();
    reads_.pop_front();
    --confirmed_;
    ++answered;
    ++counters_.reads;
    reply_with_query(one, ports_.pool.view(one.command));
    ports_.pool.release(one.command);
  }
  return answered > 0;
}

// A read of the current state finds it: only other views can be lost.
void CommandDesk::reply_with_query(const Waiting& to, ByteView command) {
  const auto bytes = ports_.machine.query(ViewId{}, command, scratch_);
  MALLARD_INVARIANT(bytes.has_value());
  if (*bytes > small_answer_bytes && ports_.pool.free_bytes() < ports_.pool.capacity() / 2) {
    reply(to, ReplyStatus::busy);
    return;
  }
  reply_done(to, ByteView(scratch_).first(*bytes), ReplyStatus::busy);
}

void CommandDesk::reply_done(const Waiting& to, ByteView bytes, ReplyStatus without_room) {
  const auto body = ports_.pool.allocate(bytes.size());
  if (!body) {
    reply(to, without_room);
    return;
  }
  ByteWriter(ports_.pool.span(*body)).write_bytes(bytes);
  reply(to, ReplyStatus::done, *body);
  ports_.pool.release(*body);
}

void CommandDesk::give_up(CommitIndex after) {
  while (placed_.count > 0 && placed_.back().index > after) {
    reply(placed_.back(), ReplyStatus::unknown_outcome);
    placed_.pop_back();
  }
}

void CommandDesk::give_up_through(CommitIndex index) {
  while (placed_.count > 0 && placed_.front().index <= index) {
    reply(placed_.front(), ReplyStatus::unknown_outcome);
    placed_.pop_front();
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
    case ReplyStatus::forbidden:
      ++counters_.forbidden;
      break;
    case ReplyStatus::not_ready:  // of a replica that has no desk yet
      break;
  }
  door::Reply reply{.request = to.request, .status = status, .bytes = bytes};
  if (status == ReplyStatus::not_leader && leader_) {
    reply.leader_known = true;
    reply.leader = ReplicaIndex(leader_->value);
  }
  ports_.door.send(to.from, reply);
}

}  // namespace mallard::rsm
