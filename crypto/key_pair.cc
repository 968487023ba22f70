#include "crypto/key_pair.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "config/base/invariant.h"
#include "crypto/sodium.h"

namespace mallard::crypto {

static_assert(seed_bytes == crypto_sign_SEEDBYTES);
static_assert(public_key_bytes == crypto_sign_PUBLICKEYBYTES);

void KeyPair::SecretDeleter::operator()(std::byte* secret) const { sodium_free(secret); }

KeyPair::Secret KeyPair::allocate_secret() {
  start_sodium();
  Secret secret(static_cast<std::byte*>(sodium_malloc(seed_bytes)));
  if (!secret) {
    throw std::bad_alloc();
  }
  return secret;
}

KeyPair KeyPair::generate() {
  Secret seed = allocate_secret();
  randombytes_buf(seed.get(), seed_bytes);
  return KeyPair(std::move(seed));
}

KeyPair KeyPair::from_seed(std::span<const std::byte, seed_bytes> seed) {
  Secret copy = allocate_secret();
  std::copy(seed.begin(), seed.end(), copy.get());
  return KeyPair(std::move(copy));
}

KeyPair::KeyPair(Secret seed) : seed_(std::move(seed)) {
  // The public key is always derived, never taken from elsewhere: signing under a foreign one would leak the
  // secret.
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> expanded{};
  const auto* seed_start = static_cast<const unsigned char*>(static_cast<const void*>(seed_.get()));
  const int refused = crypto_sign_seed_keypair(public_key_.bytes.data(), expanded.data(), seed_start);
  sodium_memzero(expanded.data(), expanded.size());
  MALLARD_INVARIANT(refused == 0);
  MALLARD_INVARIANT(sodium_mprotect_readonly(seed_.get()) == 0);
}

std::span<const std::byte, seed_bytes> KeyPair::seed() const {
  return std::span<const std::byte, seed_bytes>(seed_.get(), seed_bytes);
}

}  // namespace mallard::crypto
