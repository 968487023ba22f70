#include "rsm/machine/kv_reply.h"

namespace mallard::rsm {

std::optional<KvReply> decode_reply(ByteView bytes) {
  ByteReader reader(bytes);
  const auto status = reader.read<std::uint8_t>();
  const auto index = reader.read<std::uint64_t>();
  if (!reader.ok() || status >= kv_statuses) {
    return std::nullopt;
  }
  return KvReply{.status = static_cast<KvStatus>(status),
                 .index = CommitIndex(index),
                 .body = reader.take(reader.remaining())};
}

KvEntries::KvEntries(ByteView body) : reader_(body) {
  more_ = reader_.read<std::uint8_t>() != 0;
  left_ = reader_.read<std::uint32_t>();
}

std::optional<KvEntry> KvEntries::next() {
  if (left_ == 0) {
    return std::nullopt;
  }
  --left_;
  const auto key_bytes = reader_.read<std::uint16_t>();
  const auto value_bytes = reader_.read<std::uint32_t>();
  KvEntry entry;
  entry.key = reader_.take(key_bytes);
  entry.value = reader_.take(value_bytes);
  return reader_.ok() ? std::optional(entry) : std::nullopt;
}

KvChangeList::KvChangeList(ByteView body) : reader_(body) {
  go_on_from_ = reader_.read<std::uint64_t>();
  left_ = reader_.read<std::uint32_t>();
}

std::optional<KvChange> KvChangeList::next() {
  if (left_ == 0) {
    return std::nullopt;
  }
  --left_;
  KvChange change;
  change.index = CommitIndex(reader_.read<std::uint64_t>());
  change.operation = static_cast<KvOperation>(reader_.read<std::uint8_t>());
  const auto key_bytes = reader_.read<std::uint16_t>();
  const auto value_bytes = reader_.read<std::uint32_t>();
  change.entry.key = reader_.take(key_bytes);
  change.entry.value = reader_.take(value_bytes);
  is_whole_ = is_whole_ && (change.operation == KvOperation::put || change.operation == KvOperation::erase);
  return ok() ? std::optional(change) : std::nullopt;
}

}  // namespace mallard::rsm
