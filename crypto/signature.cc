#include "crypto/signature.h"

#include <sodium.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "config/base/invariant.h"
#include "crypto/sodium.h"

namespace mallard::crypto {

static_assert(signature_bytes == crypto_sign_BYTES);

namespace {

const unsigned char* start_of(ByteView bytes) {
  return static_cast<const unsigned char*>(static_cast<const void*>(bytes.data()));
}

// 2^252 + 27742317777372353535851937790883648493, the order of the group, little-endian.
constexpr std::array<std::uint8_t, 32> group_order{
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

// The same signature with S + L for S: it solves the same equation, but the standard demands S < L.
Signature with_unreduced_scalar(Signature signature) {
  unsigned carry = 0;
  for (std::size_t i = 0; i < group_order.size(); ++i) {
    std::uint8_t& byte = signature.bytes[32 + i];
    carry += unsigned{byte} + group_order[i];
    byte = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  return signature;
}

}  // namespace

Signature sign(const KeyPair& pair, ByteView message) {
  // libsodium's form of a secret: the seed and the public key, which was derived from it.
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret{};
  const auto seed = pair.seed();
  const auto& key = pair.public_key().bytes;
  std::transform(seed.begin(), seed.end(), secret.begin(),
                 [](std::byte byte) { return std::to_integer<unsigned char>(byte); });
  std::copy(key.begin(), key.end(), secret.begin() + seed_bytes);
  Signature signature;
  const int refused =
      crypto_sign_detached(signature.bytes.data(), nullptr, start_of(message), message.size(), secret.data());
  sodium_memzero(secret.data(), secret.size());
  MALLARD_INVARIANT(refused == 0);
  return signature;
}

bool is_signature_of(const PublicKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.bytes.data(), start_of(message), message.size(),
                                     key.bytes.data()) == 0;
}

bool is_sound_key(const PublicKey& key) { return crypto_core_ed25519_is_valid_point(key.bytes.data()) == 1; }

bool signatures_are_judged_as_expected() {
  start_sodium();
  // RFC 8032, section 7.1, test 2: the message 0x72.
  constexpr std::array<std::byte, 1> message{std::byte{0x72}};
  constexpr std::array<std::byte, 1> other_message{std::byte{0x73}};
  constexpr PublicKey key{{0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a,
                           0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
                           0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c}};
  constexpr Signature good{{0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f,
                            0x64, 0x25, 0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76,
                            0x22, 0x23, 0xeb, 0xdb, 0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99,
                            0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0, 0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae,
                            0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16, 0x12, 0xbb, 0x0c, 0x00}};
  // The neutral element, as a key and as a commitment: with S = 0 it would sign every message.
  constexpr PublicKey neutral_key{{1}};
  constexpr Signature neutral_signature{{1}};
  // Not canonical: p + 1, another way to write the neutral element.
  PublicKey unreduced_key;
  unreduced_key.bytes.fill(0xff);
  unreduced_key.bytes.front() = 0xee;
  unreduced_key.bytes.back() = 0x7f;
  return is_signature_of(key, message, good) && !is_signature_of(key, other_message, good) &&
         !is_signature_of(key, message, with_unreduced_scalar(good)) &&
         !is_signature_of(neutral_key, message, neutral_signature) &&
         !is_signature_of(unreduced_key, message, neutral_signature) && is_sound_key(key) &&
         !is_sound_key(neutral_key) && !is_sound_key(unreduced_key) && !is_sound_key(PublicKey{});
}

}  // namespace mallard::crypto
