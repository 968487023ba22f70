#include "rsm/machine/state_chunk.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "config/base/invariant.h"
#include "crypto/digest.h"
#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {
namespace {

constexpr std::string_view magic = "MLDCHNK1";
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t last_at = digest_bytes + magic.size();
constexpr std::size_t part_head_bytes = 11;
constexpr std::size_t cursor_head_bytes = 5;

static_assert(export_cursor_bytes_max >= cursor_head_bytes + key_bytes_max);
static_assert(chunk_bytes_max >
                  last_at + 1 + 8 + 32 + 2 + export_cursor_bytes_max + part_head_bytes + key_bytes_max,
              "a chunk has room for some of a value");

bool is_section(std::uint8_t section) { return section <= static_cast<std::uint8_t>(Section::user); }

}  // namespace

std::optional<ChunkPlace> place_of(ByteView cursor) {
  if (cursor.empty()) {
    return ChunkPlace{};
  }
  ByteReader reader(cursor);
  const auto section = reader.read<std::uint8_t>();
  const auto offset = reader.read<std::uint32_t>();
  const ByteView key = reader.take(reader.remaining());
  if (!is_section(section) || key.empty() || key.size() > key_bytes_max) {
    return std::nullopt;
  }
  return ChunkPlace{.section = static_cast<Section>(section), .offset = offset, .key = key};
}

ExportCursor cursor_of(const ChunkPlace& place) {
  ExportCursor cursor;
  if (!place.key.empty()) {
    ByteWriter writer(cursor.bytes);
    writer.write(static_cast<std::uint8_t>(place.section));
    writer.write(place.offset);
    writer.write_bytes(place.key);
    cursor.size = static_cast<std::uint16_t>(writer.used());
  }
  return cursor;
}

std::optional<StateChunk> decode_chunk(ByteView bytes) {
  if (bytes.size() < digest_bytes || bytes.size() > chunk_bytes_max) {
    return std::nullopt;
  }
  const auto digest = crypto::digest_of(bytes.subspan(digest_bytes));
  if (!std::ranges::equal(std::as_bytes(std::span(digest.bytes)), bytes.first(digest_bytes))) {
    return std::nullopt;
  }
  ByteReader reader(bytes.subspan(digest_bytes));
  const ByteView name = reader.take(magic.size());
  const auto last = reader.read<std::uint8_t>();
  StateChunk chunk;
  chunk.last = last == 1;
  chunk.state.index = CommitIndex(reader.read<std::uint64_t>());
  for (std::uint8_t& byte : chunk.state.hash.bytes) {
    byte = reader.read<std::uint8_t>();
  }
  const auto cursor_bytes = reader.read<std::uint16_t>();
  chunk.cursor = reader.take(cursor_bytes);
  if (!reader.ok() || last > 1 || !std::ranges::equal(name, std::as_bytes(std::span(magic)))) {
    return std::nullopt;
  }
  chunk.parts = reader.take(reader.remaining());
  return chunk;
}

std::optional<ChunkPart> next_part(ByteReader& parts) {
  const auto section = parts.read<std::uint8_t>();
  const auto key_bytes = parts.read<std::uint16_t>();
  ChunkPart part;
  part.section = static_cast<Section>(section);
  part.value_bytes = parts.read<std::uint32_t>();
  const auto part_bytes = parts.read<std::uint32_t>();
  part.key = parts.take(key_bytes);
  part.value = parts.take(part_bytes);
  const bool is_user = part.section == Section::user;
  const bool within = key_bytes >= 1 && key_bytes <= (is_user ? key_bytes_max : system_key_bytes_max) &&
                      part.value_bytes <= (is_user ? value_bytes_max : system_value_bytes_max);
  return parts.ok() && is_section(section) && within && part_bytes <= part.value_bytes ? std::optional(part)
                                                                                       : std::nullopt;
}

ChunkWriter::ChunkWriter(ByteSpan out, const StateIdentity& state, ByteView cursor)
    : out_(out.first(chunk_bytes_max)) {
  ByteWriter writer(out_.subspan(digest_bytes));
  writer.write_bytes(std::as_bytes(std::span(magic)));
  writer.write(std::uint8_t{0});
  writer.write(state.index.value);
  writer.write_bytes(std::as_bytes(std::span(state.hash.bytes)));
  writer.write(static_cast<std::uint16_t>(cursor.size()));
  writer.write_bytes(cursor);
  used_ = digest_bytes + writer.used();
}

std::optional<std::size_t> ChunkWriter::room_for(std::size_t key_bytes, std::size_t value_bytes) const {
  const std::size_t left = out_.size() - used_;
  const std::size_t head = part_head_bytes + key_bytes;
  if (left < head + std::min<std::size_t>(value_bytes, 1)) {
    return std::nullopt;
  }
  return std::min(value_bytes, left - head);
}

ByteSpan ChunkWriter::add(Section section, ByteView key, std::uint32_t value_bytes, std::size_t part_bytes) {
  ByteWriter writer(out_.subspan(used_));
  writer.write(static_cast<std::uint8_t>(section));
  writer.write(static_cast<std::uint16_t>(key.size()));
  writer.write(value_bytes);
  writer.write(static_cast<std::uint32_t>(part_bytes));
  writer.write_bytes(key);
  const ByteSpan value = out_.subspan(used_ + writer.used(), part_bytes);
  used_ += writer.used() + part_bytes;
  return value;
}

std::size_t ChunkWriter::finish(bool last) {
  out_[last_at] = static_cast<std::byte>(last ? 1 : 0);
  const auto digest = crypto::digest_of(out_.first(used_).subspan(digest_bytes));
  ByteWriter(out_).write_bytes(std::as_bytes(std::span(digest.bytes)));
  return used_;
}

}  // namespace mallard::rsm
