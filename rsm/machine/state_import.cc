#include "rsm/machine/state_import.h"

#include <algorithm>
#include <cstring>

#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {

StateImport::StateImport(KvVersions& versions, const Limits& limits)
    : versions_(versions), limits_(limits), value_(value_bytes_max) {}

void StateImport::begin(const StateIdentity& state) {
  open_ = true;
  state_ = state;
  cursor_ = ExportCursor{};
  value_bytes_ = 0;
  user_units_ = 0;
  user_entries_ = 0;
  system_units_ = 0;
}

Result<bool, MachineFault> StateImport::take(ByteView chunk) {
  const std::optional<StateChunk> decoded = decode_chunk(chunk);
  if (!decoded) {
    return Failure<MachineFault>(MachineFault::chunk_damaged);
  }
  if (decoded->state != state_ || !std::ranges::equal(decoded->cursor, view_of(cursor_))) {
    return Failure<MachineFault>(MachineFault::chunk_unexpected);
  }
  // A chunk that brings nothing would let the import go on for ever.
  bool good = decoded->last || !decoded->parts.empty();
  for (ByteReader parts(decoded->parts); good && parts.remaining() > 0;) {
    const std::optional<ChunkPart> part = next_part(parts);
    const bool must_complete = parts.remaining() > 0 || decoded->last;
    good = part && take_part(*part) && !(must_complete && place_of(view_of(cursor_))->offset > 0);
  }
  const bool is_complete = place_of(view_of(cursor_))->offset == 0;
  if (!good || (decoded->last && !is_complete)) {
    return Failure<MachineFault>(MachineFault::chunk_hostile);
  }
  return decoded->last;
}

bool StateImport::take_part(const ChunkPart& part) {
  const std::optional<ChunkPlace> place = place_of(view_of(cursor_));
  if (!continues(part, *place)) {
    return false;
  }
  const std::uint32_t done = place->offset + static_cast<std::uint32_t>(part.value.size());
  const bool is_whole = part.value.size() == part.value_bytes;
  if (!is_whole) {
    if (part.value.empty()) {
      return false;
    }
    std::memcpy(value_.data() + place->offset, part.value.data(), part.value.size());
    value_bytes_ = part.value_bytes;
  }
  if (done == part.value_bytes && !store(part, is_whole ? part.value : ByteView(value_).first(done))) {
    return false;
  }
  cursor_ = cursor_of(
      ChunkPlace{.section = part.section, .offset = done == part.value_bytes ? 0 : done, .key = part.key});
  return true;
}

bool StateImport::continues(const ChunkPart& part, const ChunkPlace& place) const {
  if (place.offset > 0) {
    return part.section == place.section && std::ranges::equal(part.key, place.key) &&
           part.value_bytes == value_bytes_ && part.value.size() <= value_bytes_ - place.offset;
  }
  return place.section < part.section ||
         (place.section == part.section && std::ranges::lexicographical_compare(place.key, part.key));
}

bool StateImport::store(const ChunkPart& part, ByteView value) {
  const bool is_user = part.section == Section::user;
  std::uint64_t& units = is_user ? user_units_ : system_units_;
  units += KeyForest::units_of(part.key.size(), value.size());
  if (units > (is_user ? limits_.user_units : limits_.system_units)) {
    return false;
  }
  user_entries_ += is_user ? 1 : 0;
  KvVersion& live = versions_.live();
  versions_.forest().put(is_user ? live.user : live.system, part.key, value);
  return true;
}

}  // namespace mallard::rsm
