#include "rsm/machine/state_chunk.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "crypto/sodium.h"
#include "rsm/machine/kv_limits.h"
#include "tests/rsm/machine/byte_text.h"
#include "tests/rsm/machine/machine_stage.h"

namespace mallard::rsm {
namespace {

const StateIdentity state{.index = CommitIndex(12), .hash = {.bytes = {1, 2, 3}}};

Bytes chunk_of(std::string_view key, std::string_view value, std::uint32_t value_bytes, bool last) {
  crypto::start_sodium();
  Bytes chunk(chunk_bytes_max);
  ChunkWriter writer(chunk, state, bytes("cursor"));
  const ByteSpan part = writer.add(Section::user, bytes(key), value_bytes, value.size());
  std::memcpy(part.data(), value.data(), value.size());
  chunk.resize(writer.finish(last));
  return chunk;
}

TEST(StateChunk, what_was_written_is_read) {
  const Bytes chunk = chunk_of("key", "val", 5, true);
  const auto decoded = decode_chunk(chunk);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->last);
  EXPECT_EQ(decoded->state, state);
  EXPECT_EQ(text(decoded->cursor), "cursor");
  ByteReader parts(decoded->parts);
  const auto part = next_part(parts);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->section, Section::user);
  EXPECT_EQ(text(part->key), "key");
  EXPECT_EQ(text(part->value), "val");
  EXPECT_EQ(part->value_bytes, 5U);
  EXPECT_EQ(parts.remaining(), 0U);
}

TEST(StateChunk, any_flipped_or_missing_byte_is_noticed) {
  const Bytes chunk = chunk_of("key", "value", 5, false);
  for (std::size_t at = 0; at < chunk.size(); ++at) {
    Bytes flipped = chunk;
    flipped[at] ^= std::byte{1};
    ASSERT_FALSE(decode_chunk(flipped));
    ASSERT_FALSE(decode_chunk(ByteView(chunk).first(at)));
  }
}

TEST(StateChunk, parts_beyond_a_limit_are_none) {
  const auto is_part = [](const Bytes& chunk) {
    const auto decoded = decode_chunk(chunk);
    ByteReader parts(decoded->parts);
    return next_part(parts).has_value();
  };
  EXPECT_TRUE(is_part(chunk_of(std::string(key_bytes_max, 'k'), "v", value_bytes_max, false)));
  EXPECT_FALSE(is_part(chunk_of(std::string(key_bytes_max + 1, 'k'), "v", 1, false)));
  EXPECT_FALSE(is_part(chunk_of("k", "v", value_bytes_max + 1, false)));
  EXPECT_FALSE(is_part(chunk_of("", "v", 1, false)));
  EXPECT_FALSE(is_part(chunk_of("k", "vv", 1, false)));
}

TEST(StateChunk, cursors_name_places) {
  EXPECT_TRUE(place_of({})->key.empty());
  EXPECT_EQ(cursor_of(ChunkPlace{}).size, 0U);
  const std::string key(key_bytes_max, 'k');
  const ExportCursor cursor = cursor_of({.section = Section::user, .offset = 77, .key = bytes(key)});
  const auto place = place_of(view_of(cursor));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->section, Section::user);
  EXPECT_EQ(place->offset, 77U);
  EXPECT_EQ(text(place->key), key);
  EXPECT_FALSE(place_of(bytes("short")));
  EXPECT_FALSE(
      place_of(bytes("\x02"
                     "0000key")));
}

TEST(StateChunk, a_writer_tells_how_much_fits) {
  crypto::start_sodium();
  Bytes chunk(chunk_bytes_max);
  ChunkWriter writer(chunk, state, {});
  const auto room = writer.room_for(3, value_bytes_max);
  ASSERT_TRUE(room);
  EXPECT_LT(*room, chunk_bytes_max);
  static_cast<void>(writer.add(Section::user, bytes("key"), value_bytes_max, *room));
  EXPECT_FALSE(writer.room_for(1, 0));
  EXPECT_EQ(writer.finish(false), chunk_bytes_max);
}

}  // namespace
}  // namespace mallard::rsm
