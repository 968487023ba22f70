#include "rsm/replica/journal/record.h"

#include <algorithm>
#include <cstring>

#include "crypto/digest.h"

namespace mallard::rsm::journal {

namespace {

constexpr std::uint32_t marker = 0x4A4C4D00;  // plus the kind
constexpr std::uint32_t kinds = 3;
constexpr std::size_t digested_head_bytes = record_head_bytes - sizeof(ShortDigest);
constexpr std::uint32_t domain = 0x6C6E724A;  // "Jrnl"

ShortDigest short_digest_of(ByteView bytes) {
  const crypto::Digest digest = crypto::digest_of(bytes);
  ShortDigest result;
  std::memcpy(result.data(), digest.bytes.data(), result.size());
  return result;
}

// Of the first digested_head_bytes of a head and of its place. The body has no domain of its own: its digest
// means something only inside of this one.
ShortDigest head_digest(ByteView head, const RecordPlace& place) {
  std::array<std::byte, sizeof(domain) + sizeof(StoreId) + 2 * sizeof(std::uint32_t) + digested_head_bytes>
      message{};
  static_assert(message.size() == 128, "one block of BLAKE2b");
  ByteWriter writer(message);
  writer.write(domain);
  writer.write_bytes(place.store.bytes);
  writer.write(place.segment);
  writer.write(place.offset);
  writer.write_bytes(head.first(digested_head_bytes));
  return short_digest_of(message);
}

}  // namespace

void write_record(const Record& record, const RecordPlace& place, ByteView body, ByteSpan out) {
  ByteWriter writer(out);
  writer.write(marker + static_cast<std::uint32_t>(record.kind));
  writer.write(static_cast<std::uint32_t>(body.size()));
  writer.write(record.epoch.value);
  writer.write(record.lsn);
  writer.write(record.previous);
  writer.write(record.index.value);
  writer.write(record.term.value);
  writer.write(record.commit.value);
  writer.write(record.last.value);
  writer.write(record.cut);
  writer.write(record.synced);
  writer.write(record.generation);
  writer.write_bytes(short_digest_of(body));
  writer.write_bytes(head_digest(out, place));
  writer.write_bytes(body);
  while (writer.used() % record_alignment != 0) {
    writer.write(std::to_integer<std::uint8_t>(filler));
  }
}

std::optional<RecordHead> read_record_head(ByteView bytes, const RecordPlace& place) {
  ByteReader reader(bytes);
  const std::uint32_t kind = reader.read<std::uint32_t>() - marker;
  if (kind == 0 || kind > kinds || bytes.size() < record_head_bytes) {
    return std::nullopt;
  }
  RecordHead head;
  head.record.kind = static_cast<RecordKind>(kind);
  head.record.body_bytes = reader.read<std::uint32_t>();
  head.record.epoch = Epoch(reader.read<std::uint32_t>());
  head.record.lsn = reader.read<std::uint64_t>();
  head.record.previous = reader.read<std::uint64_t>();
  head.record.index = EntryIndex(reader.read<std::uint64_t>());
  head.record.term = Term(reader.read<std::uint64_t>());
  head.record.commit = EntryIndex(reader.read<std::uint64_t>());
  head.record.last = EntryIndex(reader.read<std::uint64_t>());
  head.record.cut = reader.read<std::uint64_t>();
  head.record.synced = reader.read<std::uint64_t>();
  head.record.generation = reader.read<std::uint64_t>();
  const ByteView body_digest = reader.take(head.body_digest.size());
  std::copy(body_digest.begin(), body_digest.end(), head.body_digest.begin());
  const ByteView stored = reader.take(sizeof(ShortDigest));
  const ShortDigest expected = head_digest(bytes, place);
  if (!std::equal(stored.begin(), stored.end(), expected.begin())) {
    return std::nullopt;
  }
  return head;
}

bool body_matches(const RecordHead& head, ByteView body) {
  return body.size() == head.record.body_bytes && short_digest_of(body) == head.body_digest;
}

}  // namespace mallard::rsm::journal
