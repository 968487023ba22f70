// Any bytes as an entry of the crash-tolerant log, or as a card. What decodes lies inside the bytes, encodes
// to the same again up to what the checksum does not cover, and is refused behind any other predecessor.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "rsm/core/cft/card.h"
#include "rsm/core/cft/log_entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace mallard::rsm::cft;
  const auto view = std::as_bytes(std::span(bytes, size));
  if (const auto card = decode_card(view)) {
    std::vector<std::byte> again(card_bytes);
    encode_card(*card, again);
    if (!std::equal(again.begin(), again.begin() + card_bytes - 8, view.begin())) std::abort();
  }
  if (size < 8) return 0;
  // The predecessor comes first, so that chains can be met.
  mallard::ByteReader reader(view.first(8));
  LogMark previous{reader.read<std::uint32_t>() * entry_alignment, reader.read<std::uint32_t>(), {}};
  const mallard::ByteView rest = view.subspan(8);
  const auto entry = decode_entry(rest, previous);
  if (!entry) return 0;
  if (entry->bytes > rest.size() || entry->bytes % entry_alignment != 0) std::abort();
  std::vector<std::byte> again(entry->bytes);
  const Entry written =
      encode_entry(again, previous, {entry->kind, entry->ballot, entry->commit, entry->payload});
  const auto covered = static_cast<std::ptrdiff_t>(entry_header_bytes + entry->payload.size());
  const bool filler = entry->kind == EntryKind::filler;
  if (!filler && (written.checksum != entry->checksum ||
                  !std::equal(again.begin(), again.begin() + covered, rest.begin()))) {
    std::abort();
  }
  LogMark other = previous;
  other.chain ^= 1U;
  if (decode_entry(rest, other).has_value()) std::abort();
  return 0;
}
