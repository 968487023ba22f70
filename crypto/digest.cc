#include "crypto/digest.h"

#include <sodium.h>

#include "config/base/invariant.h"

namespace mallard::crypto {

Digest digest_of(ByteView message) {
  Digest digest;
  const auto* bytes = static_cast<const unsigned char*>(static_cast<const void*>(message.data()));
  const int refused =
      crypto_generichash(digest.bytes.data(), digest.bytes.size(), bytes, message.size(), nullptr, 0);
  MALLARD_INVARIANT(refused == 0);
  return digest;
}

}  // namespace mallard::crypto
