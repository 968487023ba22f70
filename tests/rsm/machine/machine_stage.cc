#include "tests/rsm/machine/machine_stage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "crypto/sodium.h"
#include "tests/rsm/machine/byte_text.h"

namespace mallard::rsm {
namespace {

Answer answer_of(ByteView reply) {
  const auto decoded = decode_reply(reply);
  EXPECT_TRUE(decoded);
  return decoded
             ? Answer{.status = decoded->status, .index = decoded->index.value, .body = text(decoded->body)}
             : Answer{};
}

const KvSettings& started(const KvSettings& settings) {
  crypto::start_sodium();
  return settings;
}

std::string random_key(Prng& prng) {
  std::string key(1 + prng.below(4), 'a');
  for (char& c : key) {
    c = static_cast<char>('a' + prng.below(3));
  }
  return key;
}

Bytes random_txn(Prng& prng) {
  std::map<std::string, std::uint64_t> keys;
  for (std::uint64_t i = prng.below(5); i > 0; --i) {
    keys[random_key(prng)] = prng.below(4);
  }
  const std::string guarded = random_key(prng);
  std::vector<KvGuard> guards;
  if (prng.below(2) == 0) {
    guards.push_back({.condition = prng.below(2) == 0 ? KvCondition::absent : KvCondition::present,
                      .key = bytes(guarded)});
  }
  std::vector<KvWrite> writes;
  writes.reserve(keys.size());
  for (const auto& [key, kind] : keys) {
    writes.push_back({.operation = kind == 0   ? KvOperation::erase
                                   : kind == 1 ? KvOperation::increment
                                               : KvOperation::put,
                      .key = bytes(key),
                      .value = bytes(std::string_view("txn value")),
                      .amount = 3});
  }
  return encode_txn(guards, writes, std::nullopt);
}

}  // namespace

Bytes put_command(std::string_view key, std::string_view value, const std::optional<SessionTag>& session) {
  KvCommand command{.operation = KvOperation::put, .session = session};
  command.write = {.key = bytes(key), .value = bytes(value)};
  return encode_command(command);
}

Bytes erase_command(std::string_view key, const std::optional<SessionTag>& session) {
  KvCommand command{.operation = KvOperation::erase, .session = session};
  command.write.key = bytes(key);
  return encode_command(command);
}

Bytes increment_command(std::string_view key, std::uint64_t amount,
                        const std::optional<SessionTag>& session) {
  KvCommand command{.operation = KvOperation::increment, .session = session};
  command.write = {.key = bytes(key), .amount = amount};
  return encode_command(command);
}

Bytes get_command(std::string_view key) {
  KvCommand command{.operation = KvOperation::get};
  command.write.key = bytes(key);
  return encode_command(command);
}

Bytes number_command(KvOperation operation, std::uint64_t number) {
  return encode_command(KvCommand{.operation = operation, .number = number});
}

Bytes close_command(std::uint64_t session, std::uint64_t owner) {
  return encode_command(
      KvCommand{.operation = KvOperation::session_close, .number = session, .owner = owner});
}

std::uint64_t Answer::number(std::size_t position) const {
  ByteReader reader(bytes(body).subspan(position * 8));
  const auto value = reader.read<std::uint64_t>();
  EXPECT_TRUE(reader.ok());
  return value;
}

void EgressLog::emit(const LinkMessage& message) {
  records.push_back({.link = message.link.value,
                     .generation = message.generation.value,
                     .number = message.number.value,
                     .batch = message.batch.value,
                     .index = message.index.value,
                     .message = text(message.message)});
}

MachineStage::MachineStage(const KvSettings& settings)
    : machine(started(settings)), reply_(reply_bytes_max) {}

KvSettings MachineStage::small() {
  return {.state_bytes = 8U << 20U, .sessions_max = 64, .view_bytes = 4U << 20U};
}

Answer MachineStage::run(const Bytes& command) {
  const std::size_t used = machine.apply(machine.applied().next(), command, reply_, egress);
  return answer_of(ByteView(reply_).first(used));
}

std::uint64_t MachineStage::open_session(std::uint64_t owner) {
  return run(number_command(KvOperation::session_open, owner)).number();
}

Result<Answer, MachineFault> MachineStage::query(ViewId view, const Bytes& command) {
  return machine.query(view, command, reply_).map([&](std::size_t used) {
    return answer_of(ByteView(reply_).first(used));
  });
}

Answer MachineStage::get(std::string_view key, ViewId view) { return query(view, get_command(key)).value(); }

Entries MachineStage::scan(std::string_view prefix, ViewId view, std::uint32_t page) {
  Entries entries;
  bool more = true;
  while (more) {
    const std::string after = entries.empty() ? std::string() : entries.back().first;
    KvCommand command{.operation = KvOperation::scan};
    command.scan = {.prefix = bytes(prefix), .after = bytes(after), .entries_max = page};
    const Answer answer = query(view, encode_command(command)).value();
    EXPECT_EQ(answer.status, KvStatus::ok);
    KvEntries listed(bytes(answer.body));
    const std::size_t before = entries.size();
    while (const auto entry = listed.next()) {
      entries.emplace_back(text(entry->key), text(entry->value));
    }
    EXPECT_TRUE(listed.ok());
    more = listed.more() && entries.size() > before;
    EXPECT_EQ(more, listed.more());
  }
  return entries;
}

std::vector<Bytes> MachineStage::export_all(ViewId view) {
  std::vector<Bytes> chunks;
  ExportCursor cursor;
  for (bool last = false; !last;) {
    Bytes chunk(chunk_bytes_max);
    const auto exported = machine.export_chunk(view, cursor, chunk);
    EXPECT_TRUE(exported);
    if (!exported) {
      break;
    }
    chunk.resize(exported->bytes);
    chunks.push_back(std::move(chunk));
    cursor = exported->next;
    last = exported->last;
  }
  return chunks;
}

Bytes random_command(Prng& prng) {
  const std::string key = random_key(prng);
  switch (prng.below(6)) {
    case 0:
      return erase_command(key);
    case 1:
      return increment_command(key, prng.below(100));
    case 2:
      return random_txn(prng);
    case 3:
      return get_command(key);
    default: {
      // One draw after the other: compilers choose the order of arguments.
      const std::uint64_t length = prng.below(200);
      const auto letter = static_cast<char>('0' + prng.below(10));
      return put_command(key, std::string(length, letter));
    }
  }
}

}  // namespace mallard::rsm
