#include "rsm/core/cft/log_entry.h"

#include <array>
#include <cstring>

#include "config/base/invariant.h"
#include "config/contract/one_sided.h"
#include "rsm/core/cft/crc32c.h"

namespace mallard::rsm::cft {
namespace {

constexpr unsigned kind_shift = 28;

// What the checksum covers ends here, counted from the entry's beginning.
std::uint64_t covered(EntryKind kind, std::uint64_t length) {
  return entry_header_bytes + (kind == EntryKind::filler ? 0 : length);
}

bool is_kind(std::uint32_t value) { return value >= 1 && value <= 4; }

}  // namespace

Entry encode_entry(ByteSpan room, const LogMark& previous, const EntryDraft& draft) {
  const auto& [kind, ballot, commit, payload] = draft;
  const std::uint64_t length = kind == EntryKind::filler ? room.size() - entry_header_bytes : payload.size();
  MALLARD_INVARIANT(length <= entry_payload_max && ballot.value != 0);
  MALLARD_INVARIANT(entry_bytes(length) <= room.size());
  ByteWriter rest(room.subspan(8, entry_header_bytes - 8));
  rest.write(previous.lsn);
  rest.write(ballot.value);
  rest.write(commit);
  if (kind != EntryKind::filler) {
    ByteWriter(room.subspan(entry_header_bytes, payload.size())).write_bytes(payload);
  }
  const auto tagged = static_cast<std::uint32_t>(length) | static_cast<std::uint32_t>(kind) << kind_shift;
  ByteWriter(room.subspan(4, 4)).write(tagged);
  const std::uint32_t checksum = crc32c(previous.chain, ByteView(room).subspan(4, covered(kind, length) - 4));
  ByteWriter(room.first(4)).write(checksum);
  return {kind, previous.lsn, ballot, commit, payload, checksum, entry_bytes(length)};
}

Result<Entry, EntryFault> decode_entry(ByteView bytes, const LogMark& previous) {
  if (bytes.size() < entry_header_bytes) return Failure<EntryFault>(EntryFault::malformed);
  // The leader may still be writing. What is checked and what is answered must be one reading of the header:
  // with two, the checksum would vouch for words that were not there yet when they were taken.
  std::array<std::byte, entry_header_bytes> copy{};
  std::memcpy(copy.data(), bytes.data(), copy.size());
  __asm__ volatile("" : : "r"(copy.data()) : "memory");
  ByteReader header{ByteView(copy)};
  const auto checksum = header.read<std::uint32_t>();
  const auto tagged = header.read<std::uint32_t>();
  const Lsn lsn = header.read<std::uint64_t>();
  const Ballot ballot(header.read<std::uint64_t>());
  const Lsn commit = header.read<std::uint64_t>();
  if (lsn != previous.lsn) return Failure<EntryFault>(EntryFault::absent);
  const std::uint64_t length = tagged & entry_payload_max;
  if (!is_kind(tagged >> kind_shift) || ballot.value == 0 || commit > lsn ||
      entry_bytes(length) > bytes.size()) {
    return Failure<EntryFault>(EntryFault::malformed);
  }
  const auto kind = static_cast<EntryKind>(tagged >> kind_shift);
  const ByteView payload = bytes.subspan(entry_header_bytes, covered(kind, length) - entry_header_bytes);
  if (crc32c(crc32c(previous.chain, ByteView(copy).subspan(4)), payload) != checksum) {
    return Failure<EntryFault>(EntryFault::torn);
  }
  return Entry{kind, lsn, ballot, commit, payload, checksum, entry_bytes(length)};
}

}  // namespace mallard::rsm::cft
