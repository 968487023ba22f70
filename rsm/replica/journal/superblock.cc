#include "rsm/replica/journal/superblock.h"

#include <algorithm>
#include <array>

namespace mallard::rsm::journal {

namespace {

constexpr std::uint64_t magic = 0x5344'5241'4C4C'414D;  // "MALLARDS"
constexpr std::uint32_t version = 1;
constexpr std::size_t fields_offset = 16;
constexpr std::size_t digest_offset = superblock_bytes - sizeof(crypto::Digest);

void write_digest(ByteWriter& writer, const crypto::Digest& digest) {
  for (const std::uint8_t byte : digest.bytes) {
    writer.write(byte);
  }
}

crypto::Digest read_digest(ByteReader& reader) {
  crypto::Digest digest;
  for (std::uint8_t& byte : digest.bytes) {
    byte = reader.read<std::uint8_t>();
  }
  return digest;
}

void write_fields(const Superblock& superblock, ByteWriter& writer) {
  writer.write_bytes(superblock.store.bytes);
  writer.write(superblock.generation);
  writer.write(superblock.incarnation.value);
  writer.write(superblock.promises.epoch.value);
  writer.write(superblock.promises.voted_for);
  writer.write(static_cast<std::uint16_t>(superblock.promises.may_vote ? 1 : 0));
  writer.write(superblock.promises.term.value);
  writer.write(superblock.promises.grant);
  writer.write(superblock.snapshot.index.value);
  writer.write(superblock.snapshot.term.value);
  write_digest(writer, superblock.snapshot.digest);
  writer.write(superblock.front.value);
  writer.write(superblock.start_after);
  writer.write(superblock.synced_lsn);
  writer.write(superblock.commit.value);
  writer.write(superblock.first_segment);
  writer.write(superblock.last_segment);
  writer.write(superblock.openings);
  writer.write(superblock.segment_bytes);
  write_digest(writer, superblock.previous);
}

Superblock read_fields(ByteReader& reader) {
  Superblock superblock;
  const ByteView store = reader.take(superblock.store.bytes.size());
  std::copy(store.begin(), store.end(), superblock.store.bytes.begin());
  superblock.generation = reader.read<std::uint64_t>();
  superblock.incarnation = Incarnation(reader.read<std::uint64_t>());
  superblock.promises.epoch = Epoch(reader.read<std::uint32_t>());
  superblock.promises.voted_for = reader.read<std::uint16_t>();
  superblock.promises.may_vote = reader.read<std::uint16_t>() == 1;
  superblock.promises.term = Term(reader.read<std::uint64_t>());
  superblock.promises.grant = reader.read<std::uint64_t>();
  superblock.snapshot.index = EntryIndex(reader.read<std::uint64_t>());
  superblock.snapshot.term = Term(reader.read<std::uint64_t>());
  superblock.snapshot.digest = read_digest(reader);
  superblock.front = EntryIndex(reader.read<std::uint64_t>());
  superblock.start_after = reader.read<std::uint64_t>();
  superblock.synced_lsn = reader.read<std::uint64_t>();
  superblock.commit = EntryIndex(reader.read<std::uint64_t>());
  superblock.first_segment = reader.read<std::uint32_t>();
  superblock.last_segment = reader.read<std::uint32_t>();
  superblock.openings = reader.read<std::uint32_t>();
  superblock.segment_bytes = reader.read<std::uint32_t>();
  superblock.previous = read_digest(reader);
  return superblock;
}

}  // namespace

crypto::Digest link_of(const Superblock& superblock) {
  // Place {2, 0} does not exist: the link is not the digest of any copy.
  std::array<std::byte, superblock_bytes> bytes{};
  write_superblock(superblock, {.slot = 2, .copy = 0}, bytes);
  ByteReader reader(ByteView(bytes).subspan(digest_offset));
  return read_digest(reader);
}

void write_superblock(const Superblock& superblock, SuperblockPlace place, ByteSpan out) {
  std::fill_n(out.begin(), superblock_bytes, std::byte{0});
  ByteWriter writer(out.first(superblock_bytes));
  writer.write(magic);
  writer.write(version);
  writer.write(place.slot);
  writer.write(place.copy);
  write_fields(superblock, writer);
  ByteWriter end(out.subspan(digest_offset, sizeof(crypto::Digest)));
  write_digest(end, crypto::digest_of(out.first(digest_offset)));
}

std::optional<Superblock> read_superblock(ByteView bytes, SuperblockPlace place) {
  if (bytes.size() < superblock_bytes) {
    return std::nullopt;
  }
  ByteReader reader(bytes);
  const auto found_magic = reader.read<std::uint64_t>();
  const auto found_version = reader.read<std::uint32_t>();
  const auto slot = reader.read<std::uint16_t>();
  const auto copy = reader.read<std::uint16_t>();
  ByteReader end(bytes.subspan(digest_offset));
  if (found_magic != magic || found_version != version || slot != place.slot || copy != place.copy ||
      read_digest(end) != crypto::digest_of(bytes.first(digest_offset))) {
    return std::nullopt;
  }
  ByteReader fields(bytes.subspan(fields_offset));
  return read_fields(fields);
}

}  // namespace mallard::rsm::journal
