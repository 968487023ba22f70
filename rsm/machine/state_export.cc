#include "rsm/machine/state_export.h"

#include <array>

#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {

Result<ExportedChunk, MachineFault> StateExport::chunk(const KvVersion& version, const StateDigest& hash,
                                                       ByteView cursor, ByteSpan out) {
  const std::optional<ChunkPlace> from = place_of(cursor);
  if (!from || !seek(version, *from)) {
    return Failure<MachineFault>(MachineFault::chunk_unexpected);
  }
  ChunkWriter writer(out, StateIdentity{.index = version.index, .hash = hash}, cursor);
  std::array<std::byte, key_bytes_max> key{};
  ChunkPlace place = *from;
  while (walk_.leaf() != 0) {
    const UnitIndex leaf = walk_.leaf();
    const std::size_t left = forest_.value_bytes(leaf) - offset_;
    const std::optional<std::size_t> room = writer.room_for(forest_.key_bytes(leaf), left);
    if (!room) {
      break;
    }
    place = ChunkPlace{.section = section_, .offset = 0, .key = forest_.copy_key(leaf, key)};
    const auto value_bytes = static_cast<std::uint32_t>(forest_.value_bytes(leaf));
    forest_.copy_value(leaf, offset_, writer.add(section_, place.key, value_bytes, *room));
    if (*room < left) {
      place.offset = offset_ + static_cast<std::uint32_t>(*room);
      break;
    }
    offset_ = 0;
    walk_.next();
    settle(version);
  }
  const bool last = walk_.leaf() == 0;
  return ExportedChunk{.bytes = writer.finish(last), .next = cursor_of(place), .last = last};
}

bool StateExport::seek(const KvVersion& version, const ChunkPlace& place) {
  section_ = place.section;
  offset_ = place.offset;
  const TreeRoot tree = section_ == Section::system ? version.system : version.user;
  walk_.seek(tree, place.key);
  const bool is_there = walk_.leaf() != 0 && !forest_.difference(walk_.leaf(), place.key);
  if (offset_ > 0) {
    return is_there && offset_ < forest_.value_bytes(walk_.leaf());
  }
  if (is_there) {
    walk_.next();
  }
  settle(version);
  return true;
}

void StateExport::settle(const KvVersion& version) {
  if (walk_.leaf() == 0 && section_ == Section::system) {
    section_ = Section::user;
    walk_.seek(version.user, {});
  }
}

}  // namespace mallard::rsm
