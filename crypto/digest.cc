#include "crypto/digest.h"

#include <sodium.h>

#include "config/base/invariant.h"

namespace mallard::crypto {

namespace {

const unsigned char* start_of(ByteView bytes) {
  return static_cast<const unsigned char*>(static_cast<const void*>(bytes.data()));
}

}  // namespace

Digest digest_of(ByteView message) {
  Digest digest;
  const int refused = crypto_generichash(digest.bytes.data(), digest.bytes.size(), start_of(message),
                                         message.size(), nullptr, 0);
  MALLARD_INVARIANT(refused == 0);
  return digest;
}

Digest digest_of(ByteView domain, ByteView message) {
  Digest digest;
  crypto_generichash_state state;
  int refused = crypto_generichash_init(&state, nullptr, 0, digest.bytes.size());
  refused |= crypto_generichash_update(&state, start_of(domain), domain.size());
  refused |= crypto_generichash_update(&state, start_of(message), message.size());
  refused |= crypto_generichash_final(&state, digest.bytes.data(), digest.bytes.size());
  MALLARD_INVARIANT(refused == 0);
  return digest;
}

}  // namespace mallard::crypto
