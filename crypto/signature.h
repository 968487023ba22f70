// Ed25519 signatures (RFC 8032) as libsodium judges them: strictly. A key or a commitment of small order, an
// encoding that is not canonical and a scalar that is not reduced are refused, so that nobody can turn one
// good signature into another, and no key accepts more than its owner signed.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

#include "config/base/bytes.h"
#include "config/contract/public_key.h"
#include "crypto/key_pair.h"

namespace mallard::crypto {

inline constexpr std::size_t signature_bytes = 64;

struct Signature {
  std::array<std::uint8_t, signature_bytes> bytes{};
  friend constexpr auto operator<=>(const Signature&, const Signature&) = default;
};

// Signs with the secret of `pair`; the public half that enters the signature is the one derived from it.
// Start the message with a domain string: a signature must not mean two things. Deterministic; allocates
// nothing; about 20 us.
[[nodiscard]] Signature sign(const KeyPair& pair, ByteView message);

// Whether the owner of `key` signed exactly `message`. Any bytes may be given. Allocates nothing; about 50
// us. start_sodium() has been called, as whoever has a roster or a key pair did.
[[nodiscard]] bool is_signature_of(const PublicKey& key, ByteView message, const Signature& signature);

// Whether a key can be somebody's: a canonical point of the group of prime order. Everything else would
// verify what nobody signed.
[[nodiscard]] bool is_sound_key(const PublicKey& key);

// Judges a few signatures whose verdicts are fixed, good and malleated ones, as libraries have changed theirs
// between releases (reliability.md E5). Whoever is going to trust is_signature_of() asks once at start, and
// does not start on false. Below 2 ms.
[[nodiscard]] bool signatures_are_judged_as_expected();

}  // namespace mallard::crypto
