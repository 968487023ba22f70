// The one digest of Mallard: BLAKE2b with 32 bytes of output (RFC 7693).
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "config/base/bytes.h"

namespace mallard::crypto {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  friend constexpr auto operator<=>(const Digest&, const Digest&) = default;
};

// Start `message` with a domain string: the same bytes must not mean two things.
[[nodiscard]] Digest digest_of(ByteView message);
// Of `domain` followed by `message`, without joining them in memory. Allocates nothing.
[[nodiscard]] Digest digest_of(ByteView domain, ByteView message);

}  // namespace mallard::crypto
