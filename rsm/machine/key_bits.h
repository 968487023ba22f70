// Keys as strings of bits whose order is that of the keys: before each byte a bit that says that there is
// one, so that a key comes before its extensions and no key is a prefix of another.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "config/base/bytes.h"
#include "rsm/machine/kv_limits.h"

namespace mallard::rsm {

// Place of a bit: 16 times the byte's position, plus 0 for "there is a byte" or 1 to 8 for its bits from the
// highest.
using KeyBit = std::uint16_t;
inline constexpr KeyBit key_bit_end = UINT16_MAX;  // beyond every bit
static_assert(key_bytes_max * 16 < key_bit_end);

// Bits beyond the end of a key are 0.
inline bool bit_of(ByteView key, KeyBit bit) {
  const std::size_t byte = bit >> 4U;
  const unsigned in_byte = bit & 15U;
  if (byte >= key.size()) {
    return false;
  }
  return in_byte == 0 || ((std::to_integer<unsigned>(key[byte]) >> (8U - in_byte)) & 1U) != 0;
}

// Where two bytes at position `at` of their keys differ first; they do differ.
inline KeyBit bit_between(std::size_t at, std::byte a, std::byte b) {
  const auto difference = std::to_integer<std::uint8_t>(a ^ b);
  return static_cast<KeyBit>((at << 4U) + 1U + static_cast<unsigned>(std::countl_zero(difference)));
}

// Where two keys that agree up to the end of the shorter one differ; nothing if their lengths are equal.
inline std::optional<KeyBit> bit_of_lengths(std::size_t a, std::size_t b) {
  return a == b ? std::nullopt : std::optional(static_cast<KeyBit>(std::min(a, b) << 4U));
}

}  // namespace mallard::rsm
