// An Ed25519 key pair (RFC 8032) whose secret stays in guarded memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "config/contract/public_key.h"

namespace mallard::crypto {

inline constexpr std::size_t seed_bytes = 32;

// The secret is kept as its 32-byte seed in memory from sodium_malloc: between guard pages, locked where the
// machine allows it, left out of core dumps, wiped when the pair goes. It can be moved, not copied.
class KeyPair {
 public:
  // Fresh from the machine's random source. Throws as start_sodium() does, or std::bad_alloc.
  [[nodiscard]] static KeyPair generate();
  // The pair that `seed` stands for; the caller wipes its own copy. Throws as generate() does.
  [[nodiscard]] static KeyPair from_seed(std::span<const std::byte, seed_bytes> seed);

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  // The secret itself, for who writes it to a key file or hands it to TLS. Good while the pair lives.
  [[nodiscard]] std::span<const std::byte, seed_bytes> seed() const;

 private:
  struct SecretDeleter {
    void operator()(std::byte* secret) const;
  };
  using Secret = std::unique_ptr<std::byte[], SecretDeleter>;

  static Secret allocate_secret();
  explicit KeyPair(Secret seed);

  Secret seed_;
  PublicKey public_key_;
};

}  // namespace mallard::crypto
