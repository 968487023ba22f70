#include "rsm/core/cft/card.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace mallard::rsm::cft {
namespace {

Card some_card(std::uint64_t beat) {
  Card card;
  card.beat = beat;
  card.incarnation = Incarnation(7);
  card.promise = make_ballot(beat, memory::ProcessIndex(1));
  card.request = make_ballot(beat + 1, memory::ProcessIndex(2));
  card.reign = make_ballot(beat + 2, memory::ProcessIndex(2));
  card.grant = memory::GrantNumber(beat + 3);
  card.end = beat * 64;
  card.last = make_ballot(beat + 4, memory::ProcessIndex(0));
  card.stable = beat * 128;
  card.persisted = beat * 192;
  card.credit = beat * 256;
  card.tail = beat * 320;
  card.members = {beat | 1, Epoch(static_cast<std::uint32_t>(beat + 9))};
  card.flags = Card::resting | Card::caught_up;
  card.accused = make_ballot(beat + 5, memory::ProcessIndex(0));
  return card;
}

TEST(Card, ComesBackAsItWas) {
  std::array<std::byte, card_bytes> bytes{};
  std::array<std::byte, card_bytes> again{};
  encode_card(some_card(5), bytes);
  const auto card = decode_card(bytes);
  ASSERT_TRUE(card.has_value());
  encode_card(*card, again);
  EXPECT_EQ(bytes, again);
  EXPECT_EQ(card->members, some_card(5).members);
  EXPECT_TRUE(card->is(Card::resting));
  EXPECT_FALSE(card->is(Card::recovering));
}

TEST(Card, ZeroedMemoryIsNoCard) {
  const std::array<std::byte, card_bytes> zero{};
  EXPECT_FALSE(decode_card(zero).has_value());
  EXPECT_FALSE(decode_card(ByteView(zero).first(120)).has_value());
}

TEST(Card, MixturesOfTwoCardsAreRefused) {
  std::array<std::byte, card_bytes> old{};
  std::array<std::byte, card_bytes> fresh{};
  encode_card(some_card(5), old);
  encode_card(some_card(6), fresh);
  for (std::uint32_t landed = 1; landed < 0xffffU; ++landed) {
    std::array<std::byte, card_bytes> mixed = old;
    for (std::size_t word = 0; word < 16; ++word) {
      if (((landed >> word) & 1U) != 0) std::memcpy(&mixed[word * 8], &fresh[word * 8], 8);
    }
    if (mixed == old || mixed == fresh) continue;
    ASSERT_FALSE(decode_card(mixed).has_value()) << landed;
  }
}

}  // namespace
}  // namespace mallard::rsm::cft
