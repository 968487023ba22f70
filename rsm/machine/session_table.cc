#include "rsm/machine/session_table.h"

#include <algorithm>

#include "config/base/invariant.h"
#include "rsm/machine/system_key.h"

namespace mallard::rsm {
namespace {

SystemKey session_key(std::uint64_t session) { return SystemKey(SystemSpace::session, session); }
SystemKey queue_key(std::uint64_t at) { return SystemKey(SystemSpace::session_queue, at); }

bool is_in(ByteView key, SystemSpace space) {
  return key.size() == SystemKey::size_bytes && key[0] == static_cast<std::byte>(space);
}

}  // namespace

SessionTable::SessionTable(KeyForest& forest, TreeRoot& system, std::uint32_t sessions_max)
    : forest_(forest),
      system_(system),
      sessions_max_(sessions_max),
      walk_(forest),
      record_(head_bytes + stored_reply_bytes_max) {
  MALLARD_INVARIANT(sessions_max >= 1 && sessions_max <= sessions_limit);
}

std::uint64_t SessionTable::units_max(std::uint32_t sessions_max) {
  return sessions_max * (KeyForest::units_of(SystemKey::size_bytes, head_bytes + stored_reply_bytes_max) +
                         KeyForest::units_of(SystemKey::size_bytes, 8));
}

std::uint64_t SessionTable::open(CommitIndex index, std::uint64_t owner) {
  if (open_sessions_ == sessions_max_) {
    evict_one();
  }
  const std::uint64_t session = index.value;
  write(session, Session{.owner = owner, .used_at = index.value, .queued_at = index.value}, {});
  queue(index.value, session);
  ++open_sessions_;
  return session;
}

KvStatus SessionTable::close(std::uint64_t session, std::uint64_t owner) {
  const std::optional<Session> record = find(session);
  if (!record) {
    return KvStatus::not_found;
  }
  if (record->owner != owner) {
    return KvStatus::session_not_owned;
  }
  remove(session, *record);
  return KvStatus::ok;
}

SessionTable::Admission SessionTable::admit(const SessionTag& tag, const StateDigest& request,
                                            ByteSpan reply) const {
  const UnitIndex leaf = forest_.find(system_, session_key(tag.session).view());
  if (leaf == 0) {
    return {.refusal = KvStatus::session_gone};
  }
  const Session record = read(leaf);
  if (record.owner != tag.owner) {
    return {.refusal = KvStatus::session_not_owned};
  }
  if (tag.sequence > record.sequence) {
    return {.execute = true};
  }
  if (tag.sequence < record.sequence || tag.sequence == 0) {
    return {.refusal = KvStatus::request_outdated};
  }
  if (record.request != request) {
    return {.refusal = KvStatus::request_changed};
  }
  forest_.copy_value(leaf, head_bytes, reply.first(record.reply_bytes));
  return {.reply_bytes = record.reply_bytes};
}

void SessionTable::executed(const SessionTag& tag, const StateDigest& request, CommitIndex index,
                            ByteView reply) {
  std::optional<Session> record = find(tag.session);
  MALLARD_INVARIANT(record && record->sequence < tag.sequence);
  record->sequence = tag.sequence;
  record->used_at = index.value;
  record->request = request;
  write(tag.session, *record, reply);
}

bool SessionTable::reload() {
  open_sessions_ = 0;
  std::uint32_t queued = 0;
  for (walk_.seek(system_, session_key(0).view()); walk_.leaf() != 0; walk_.next()) {
    const UnitIndex leaf = walk_.leaf();
    std::array<std::byte, system_key_bytes_max> key{};
    if (forest_.key_bytes(leaf) > key.size()) {
      return false;
    }
    const ByteView name = forest_.copy_key(leaf, key);
    if (is_in(name, SystemSpace::session)) {
      if (forest_.value_bytes(leaf) < head_bytes ||
          forest_.value_bytes(leaf) > head_bytes + stored_reply_bytes_max) {
        return false;
      }
      ++open_sessions_;
    } else if (is_in(name, SystemSpace::session_queue)) {
      std::array<std::byte, 8> session{};
      if (forest_.value_bytes(leaf) != session.size()) {
        return false;
      }
      forest_.copy_value(leaf, 0, session);
      const auto record = find(ByteReader(session).read<std::uint64_t>());
      if (!record || record->queued_at != SystemKey::number_of(name) || record->used_at < record->queued_at) {
        return false;
      }
      ++queued;
    }
  }
  return open_sessions_ == queued && open_sessions_ <= sessions_max_;
}

std::optional<SessionTable::Session> SessionTable::find(std::uint64_t session) const {
  const UnitIndex leaf = forest_.find(system_, session_key(session).view());
  return leaf == 0 || forest_.value_bytes(leaf) < head_bytes ? std::nullopt : std::optional(read(leaf));
}

SessionTable::Session SessionTable::read(UnitIndex leaf) const {
  std::array<std::byte, head_bytes> head{};
  forest_.copy_value(leaf, 0, head);
  ByteReader reader(head);
  Session record;
  record.owner = reader.read<std::uint64_t>();
  record.sequence = reader.read<std::uint64_t>();
  record.used_at = reader.read<std::uint64_t>();
  record.queued_at = reader.read<std::uint64_t>();
  for (std::uint8_t& byte : record.request.bytes) {
    byte = reader.read<std::uint8_t>();
  }
  record.reply_bytes = forest_.value_bytes(leaf) - head_bytes;
  return record;
}

void SessionTable::write(std::uint64_t session, const Session& record, ByteView reply) {
  ByteWriter writer(record_);
  writer.write(record.owner);
  writer.write(record.sequence);
  writer.write(record.used_at);
  writer.write(record.queued_at);
  writer.write_bytes(std::as_bytes(std::span(record.request.bytes)));
  writer.write_bytes(reply);
  forest_.put(system_, session_key(session).view(), ByteView(record_).first(writer.used()));
}

void SessionTable::queue(std::uint64_t at, std::uint64_t session) {
  std::array<std::byte, 8> value{};
  ByteWriter(value).write(session);
  forest_.put(system_, queue_key(at).view(), value);
}

void SessionTable::evict_one() {
  for (;;) {
    walk_.seek(system_, queue_key(0).view());
    MALLARD_INVARIANT(walk_.leaf() != 0);
    std::array<std::byte, 8> value{};
    forest_.copy_value(walk_.leaf(), 0, value);
    const auto session = ByteReader(value).read<std::uint64_t>();
    std::optional<Session> record = find(session);
    MALLARD_INVARIANT(record);
    if (record->used_at == record->queued_at) {
      remove(session, *record);
      return;
    }
    forest_.erase(system_, queue_key(record->queued_at).view());
    record->queued_at = record->used_at;
    queue(record->queued_at, session);
    std::array<std::byte, stored_reply_bytes_max> reply{};
    const ByteSpan kept = ByteSpan(reply).first(record->reply_bytes);
    forest_.copy_value(forest_.find(system_, session_key(session).view()), head_bytes, kept);
    write(session, *record, kept);
  }
}

void SessionTable::remove(std::uint64_t session, const Session& record) {
  forest_.erase(system_, queue_key(record.queued_at).view());
  forest_.erase(system_, session_key(session).view());
  --open_sessions_;
}

}  // namespace mallard::rsm
