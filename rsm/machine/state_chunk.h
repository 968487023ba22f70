// A piece of an exported state: entries in order, system entries first; a value that does not fit goes on in
// the next chunk. All integers little-endian.
//
//   chunk   digest of the rest (BLAKE2b), "MLDCHNK1", u8 1 if last, u64 index and 32 bytes hash of the state,
//           u16 cursor bytes, the cursor behind which it starts, parts
//   part    u8 section, u16 key bytes, u32 value bytes, u32 bytes of the value in this part, key, those bytes
//   cursor  empty at the beginning, else u8 section, u32 offset, key: behind that entry (offset 0), or that
//           far into its value
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "config/contract/machine.h"

namespace mallard::rsm {

enum class Section : std::uint8_t { system = 0, user = 1 };

struct ChunkPlace {
  Section section = Section::system;
  std::uint32_t offset = 0;
  ByteView key;  // empty: the beginning
};

// The place of a cursor, with views into it; nothing if it is none.
[[nodiscard]] std::optional<ChunkPlace> place_of(ByteView cursor);
[[nodiscard]] ExportCursor cursor_of(const ChunkPlace& place);
[[nodiscard]] inline ByteView view_of(const ExportCursor& cursor) {
  return ByteView(cursor.bytes).first(cursor.size);
}

struct ChunkPart {
  Section section = Section::system;
  ByteView key;
  std::uint32_t value_bytes = 0;  // of the whole value
  ByteView value;                 // this part of it
};

struct StateChunk {
  bool last = false;
  StateIdentity state;
  ByteView cursor;
  ByteView parts;
};

// A chunk whose digest is right; what it says is still to be judged. Views into `bytes`.
[[nodiscard]] std::optional<StateChunk> decode_chunk(ByteView bytes);
// The next part: keys and values within their limits, the part no longer than the value. Nothing if it is
// none.
[[nodiscard]] std::optional<ChunkPart> next_part(ByteReader& parts);

// Writes one chunk to `out`, which has room for chunk_bytes_max.
class ChunkWriter {
 public:
  ChunkWriter(ByteSpan out, const StateIdentity& state, ByteView cursor);

  // How much of a value that goes on after `done` bytes fits; nothing if not even its key and, unless it is
  // empty, one byte do.
  [[nodiscard]] std::optional<std::size_t> room_for(std::size_t key_bytes, std::size_t value_bytes) const;
  // Starts a part; returns where `part_bytes` bytes of the value belong. room_for() has allowed it.
  ByteSpan add(Section section, ByteView key, std::uint32_t value_bytes, std::size_t part_bytes);
  // Completes the chunk; returns its length.
  std::size_t finish(bool last);

 private:
  ByteSpan out_;
  std::size_t used_ = 0;
};

}  // namespace mallard::rsm
