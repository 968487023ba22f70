#include "rsm/machine/kv_command.h"

#include <algorithm>

#include "config/base/invariant.h"
#include "rsm/machine/kv_limits.h"
#include "rsm/machine/link_command.h"

namespace mallard::rsm {
namespace {

constexpr std::size_t session_tag_bytes = 24;
constexpr std::size_t owner_at = 2 + 16;

ByteView take_key(ByteReader& reader, std::size_t bytes, bool& good) {
  good = good && bytes >= 1 && bytes <= key_bytes_max;
  return reader.take(bytes);
}

ByteView take_value(ByteReader& reader, std::size_t bytes, bool& good) {
  good = good && bytes <= value_bytes_max;
  return reader.take(bytes);
}

// The body of a put, erase or increment; the same within a transaction.
bool read_write_body(ByteReader& reader, KvWrite& write) {
  bool good = true;
  const auto key_bytes = reader.read<std::uint16_t>();
  if (write.operation == KvOperation::put) {
    const auto value_bytes = reader.read<std::uint32_t>();
    write.key = take_key(reader, key_bytes, good);
    write.value = take_value(reader, value_bytes, good);
  } else {
    write.amount = write.operation == KvOperation::increment ? reader.read<std::uint64_t>() : 0;
    write.key = take_key(reader, key_bytes, good);
  }
  return good && reader.ok();
}

bool is_write(KvOperation operation) {
  return operation == KvOperation::put || operation == KvOperation::erase ||
         operation == KvOperation::increment;
}

bool read_write(ByteReader& reader, KvWrite& write) {
  write.operation = static_cast<KvOperation>(reader.read<std::uint8_t>());
  return is_write(write.operation) && read_write_body(reader, write);
}

bool read_guard(ByteReader& reader, KvGuard& guard) {
  guard.condition = static_cast<KvCondition>(reader.read<std::uint8_t>());
  bool good = guard.condition >= KvCondition::absent && guard.condition <= KvCondition::fence;
  if (guard.condition == KvCondition::fence) {
    guard.fence = Fence(reader.read<std::uint64_t>());
    return good && reader.ok();
  }
  const auto key_bytes = reader.read<std::uint16_t>();
  const std::uint32_t value_bytes = guard.condition == KvCondition::equals ? reader.read<std::uint32_t>() : 0;
  guard.key = take_key(reader, key_bytes, good);
  guard.value = take_value(reader, value_bytes, good);
  return good && reader.ok();
}

bool read_scan(ByteReader& reader, KvScan& scan) {
  scan.entries_max = reader.read<std::uint32_t>();
  scan.bytes_max = reader.read<std::uint32_t>();
  const auto prefix_bytes = reader.read<std::uint16_t>();
  const auto after_bytes = reader.read<std::uint16_t>();
  scan.prefix = reader.take(prefix_bytes);
  scan.after = reader.take(after_bytes);
  return reader.ok() && prefix_bytes <= key_bytes_max && after_bytes <= key_bytes_max && scan.entries_max > 0;
}

bool read_changes(ByteReader& reader, KvChanges& changes) {
  changes.from = reader.read<std::uint64_t>();
  changes.bytes_max = reader.read<std::uint32_t>();
  const auto prefix_bytes = reader.read<std::uint16_t>();
  changes.prefix = reader.take(prefix_bytes);
  return reader.ok() && prefix_bytes <= key_bytes_max;
}

bool read_txn(ByteReader& reader, ByteView body, KvTxn& txn) {
  txn.guard_count = reader.read<std::uint16_t>();
  txn.write_count = reader.read<std::uint16_t>();
  if (!reader.ok() || txn.guard_count > txn_guards_max || txn.write_count > txn_writes_max) {
    return false;
  }
  const std::size_t guards_at = body.size() - reader.remaining();
  for (std::size_t i = 0; i < txn.guard_count; ++i) {
    KvGuard guard;
    if (!read_guard(reader, guard)) {
      return false;
    }
  }
  const std::size_t writes_at = body.size() - reader.remaining();
  ByteView previous;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < txn.write_count; ++i) {
    KvWrite write;
    if (!read_write(reader, write) || !std::ranges::lexicographical_compare(previous, write.key)) {
      return false;
    }
    previous = write.key;
    bytes += message_length_bytes + message_bytes(write);
  }
  if (bytes > txn_bytes_max) {
    return false;
  }
  txn.guards = body.subspan(guards_at, writes_at - guards_at);
  txn.writes = body.subspan(writes_at, body.size() - reader.remaining() - writes_at);
  return true;
}

bool read_body(KvCommand& command) {
  ByteReader reader(command.body);
  bool good = true;
  switch (command.operation) {
    case KvOperation::get:
      command.write.key = take_key(reader, reader.read<std::uint16_t>(), good);
      break;
    case KvOperation::scan:
      good = read_scan(reader, command.scan);
      break;
    case KvOperation::put:
    case KvOperation::erase:
    case KvOperation::increment:
      command.write.operation = command.operation;
      good = read_write_body(reader, command.write);
      break;
    case KvOperation::txn:
      good = read_txn(reader, command.body, command.txn);
      break;
    case KvOperation::session_open:
    case KvOperation::fence_raise:
      command.number = reader.read<std::uint64_t>();
      break;
    case KvOperation::session_close:
      command.number = reader.read<std::uint64_t>();
      command.owner = reader.read<std::uint64_t>();
      break;
    case KvOperation::changes:
      good = read_changes(reader, command.changes);
      break;
    case KvOperation::link_open:
    case KvOperation::link_apply:
      return true;  // judged where links are
    default:
      return false;
  }
  return good && reader.ok() && reader.remaining() == 0;
}

// Appends to bytes that a client sends; not on any hot path.
class CommandText {
 public:
  template <class T>
  CommandText& number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xffU));
    }
    return *this;
  }
  CommandText& length16(ByteView of) { return number(static_cast<std::uint16_t>(of.size())); }
  CommandText& length32(ByteView of) { return number(static_cast<std::uint32_t>(of.size())); }
  CommandText& text(ByteView of) {
    bytes_.insert(bytes_.end(), of.begin(), of.end());
    return *this;
  }
  CommandText& head(KvOperation operation, const std::optional<SessionTag>& session) {
    number(static_cast<std::uint8_t>(operation)).number(static_cast<std::uint8_t>(session ? 1 : 0));
    return session ? number(session->session).number(session->sequence).number(session->owner) : *this;
  }
  CommandText& write(const KvWrite& write) {
    length16(write.key);
    if (write.operation == KvOperation::put) {
      return length32(write.value).text(write.key).text(write.value);
    }
    return write.operation == KvOperation::increment ? number(write.amount).text(write.key) : text(write.key);
  }
  CommandText& guard(const KvGuard& guard) {
    number(static_cast<std::uint8_t>(guard.condition));
    if (guard.condition == KvCondition::fence) {
      return number(guard.fence.value);
    }
    length16(guard.key);
    return guard.condition == KvCondition::equals ? length32(guard.value).text(guard.key).text(guard.value)
                                                  : text(guard.key);
  }
  [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

bool starts_with_one_of(ByteView key, std::span<const std::string_view> prefixes) {
  const void* characters = key.data();
  const std::string_view text(static_cast<const char*>(characters), key.size());
  return prefixes.empty() ||
         std::ranges::any_of(prefixes, [&](auto prefix) { return text.starts_with(prefix); });
}

}  // namespace

std::optional<KvCommand> decode_command(ByteView bytes) {
  ByteReader reader(bytes);
  KvCommand command;
  command.operation = static_cast<KvOperation>(reader.read<std::uint8_t>());
  const auto in_session = reader.read<std::uint8_t>();
  if (in_session == 1) {
    SessionTag tag;
    tag.session = reader.read<std::uint64_t>();
    tag.sequence = reader.read<std::uint64_t>();
    tag.owner = reader.read<std::uint64_t>();
    command.session = tag;
    if (!is_write(command.operation) && command.operation != KvOperation::txn) {
      return std::nullopt;
    }
  }
  if (!reader.ok() || in_session > 1) {
    return std::nullopt;
  }
  command.body = reader.take(reader.remaining());
  return read_body(command) ? std::optional(command) : std::nullopt;
}

KvGuard next_guard(ByteReader& guards) {
  KvGuard guard;
  MALLARD_INVARIANT(read_guard(guards, guard));
  return guard;
}

KvWrite next_write(ByteReader& writes) {
  KvWrite write;
  MALLARD_INVARIANT(read_write(writes, write));
  return write;
}

std::vector<std::byte> encode_command(const KvCommand& command) {
  CommandText text;
  text.head(command.operation, command.session);
  const KvScan& scan = command.scan;
  switch (command.operation) {
    case KvOperation::get:
      text.length16(command.write.key).text(command.write.key);
      break;
    case KvOperation::scan:
      text.number(scan.entries_max).number(scan.bytes_max).length16(scan.prefix).length16(scan.after);
      text.text(scan.prefix).text(scan.after);
      break;
    case KvOperation::put:
    case KvOperation::erase:
    case KvOperation::increment: {
      KvWrite write = command.write;
      write.operation = command.operation;
      text.write(write);
      break;
    }
    case KvOperation::txn:
      text.number(command.txn.guard_count).number(command.txn.write_count);
      text.text(command.txn.guards).text(command.txn.writes);
      break;
    case KvOperation::session_open:
    case KvOperation::fence_raise:
      text.number(command.number);
      break;
    case KvOperation::session_close:
      text.number(command.number).number(command.owner);
      break;
    case KvOperation::changes:
      text.number(command.changes.from).number(command.changes.bytes_max);
      text.length16(command.changes.prefix).text(command.changes.prefix);
      break;
    case KvOperation::link_open:
    case KvOperation::link_apply:
      text.text(command.body);
      break;
  }
  return text.take();
}

std::vector<std::byte> encode_txn(std::span<const KvGuard> guards, std::span<const KvWrite> writes,
                                  const std::optional<SessionTag>& session) {
  CommandText text;
  text.head(KvOperation::txn, session);
  text.number(static_cast<std::uint16_t>(guards.size())).number(static_cast<std::uint16_t>(writes.size()));
  for (const KvGuard& guard : guards) {
    text.guard(guard);
  }
  for (const KvWrite& write : writes) {
    text.number(static_cast<std::uint8_t>(write.operation)).write(write);
  }
  return text.take();
}

void write_owner(ByteSpan command, std::uint64_t owner) {
  ByteReader reader(command);
  const auto operation = static_cast<KvOperation>(reader.read<std::uint8_t>());
  const bool in_session = reader.read<std::uint8_t>() == 1;
  std::size_t at = 0;
  if (in_session) {
    at = owner_at;
    static_assert(owner_at + 8 == 2 + session_tag_bytes);
  } else if (operation == KvOperation::session_open) {
    at = 2;
  } else if (operation == KvOperation::session_close) {
    at = 2 + 8;
  }
  if (at != 0 && command.size() >= at + 8) {
    ByteWriter(command.subspan(at)).write(owner);
  }
}

bool is_within(const KvCommand& command, std::span<const std::string_view> prefixes) {
  const auto allowed = [&](ByteView key) { return starts_with_one_of(key, prefixes); };
  switch (command.operation) {
    case KvOperation::get:
    case KvOperation::put:
    case KvOperation::erase:
    case KvOperation::increment:
      return allowed(command.write.key);
    case KvOperation::scan:
      return allowed(command.scan.prefix);
    case KvOperation::changes:
      return allowed(command.changes.prefix);
    case KvOperation::txn: {
      bool all = true;
      ByteReader guards(command.txn.guards);
      for (std::size_t i = 0; i < command.txn.guard_count; ++i) {
        const KvGuard guard = next_guard(guards);
        all = all && (guard.condition == KvCondition::fence || allowed(guard.key));
      }
      ByteReader writes(command.txn.writes);
      for (std::size_t i = 0; i < command.txn.write_count; ++i) {
        all = all && allowed(next_write(writes).key);
      }
      return all;
    }
    case KvOperation::session_open:
    case KvOperation::session_close:
      return true;
    default:
      return false;
  }
}

}  // namespace mallard::rsm
