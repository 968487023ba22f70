// An Ed25519 public key as the pairing's YAML names it. A value only; what can be done with it is in crypto/.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace mallard {

inline constexpr std::size_t public_key_bytes = 32;

struct PublicKey {
  std::array<std::uint8_t, public_key_bytes> bytes{};
  friend constexpr auto operator<=>(const PublicKey&, const PublicKey&) = default;
};

}  // namespace mallard
