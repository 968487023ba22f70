#include "rsm/core/cft/card.h"

#include "config/base/invariant.h"
#include "rsm/core/cft/crc32c.h"

namespace mallard::rsm::cft {
namespace {
constexpr std::size_t covered = card_bytes - 8;
}

void encode_card(const Card& card, ByteSpan room) {
  MALLARD_INVARIANT(room.size() == card_bytes);
  ByteWriter writer(room);
  for (const std::uint64_t word :
       {card.beat, card.incarnation.value, card.promise.value, card.request.value, card.reign.value,
        card.grant.value, card.end, card.last.value, card.stable, card.persisted, card.credit, card.tail,
        card.members.set, std::uint64_t{card.members.epoch.value} << 32 | card.flags, card.accused.value}) {
    writer.write(word);
  }
  writer.write(std::uint64_t{crc32c(0, ByteView(room).first(covered))});
}

std::optional<Card> decode_card(ByteView bytes) {
  if (bytes.size() != card_bytes) return {};
  ByteReader reader(bytes);
  const auto next = [&] { return reader.read<std::uint64_t>(); };
  Card card;
  card.beat = next();
  card.incarnation = Incarnation(next());
  card.promise = Ballot(next());
  card.request = Ballot(next());
  card.reign = Ballot(next());
  card.grant = memory::GrantNumber(next());
  card.end = next();
  card.last = Ballot(next());
  card.stable = next();
  card.persisted = next();
  card.credit = next();
  card.tail = next();
  card.members.set = next();
  const std::uint64_t packed = next();
  card.members.epoch = Epoch(static_cast<std::uint32_t>(packed >> 32));
  card.flags = static_cast<std::uint32_t>(packed);
  card.accused = Ballot(next());
  if (next() != crc32c(0, bytes.first(covered)) || card.incarnation.value == 0) return {};
  return card;
}

}  // namespace mallard::rsm::cft
