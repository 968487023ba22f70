// What all TLS sessions of a ChannelSet have in common: TLS 1.3 and nothing that it offers beyond a plain
// handshake with keys known beforehand.
//
//   versions       1.3 only; X25519 only; Ed25519 signatures only
//   suites         AES-256-GCM first where the processor has AES instructions, else ChaCha20-Poly1305 first
//   certificates   both sides, exactly one, self-signed; names, dates and chains are not looked at, the key
//   is compared ALPN           "mallard/1", required not there      tickets, resumption, 0-RTT,
//   renegotiation, compression
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>

#include "crypto/key_pair.h"
#include "transport/channel/certificate.h"

namespace mallard::transport {

class TlsContext {
 public:
  // Throws std::runtime_error when OpenSSL refuses a setting.
  explicit TlsContext(const crypto::KeyPair& key);

  [[nodiscard]] SSL_CTX& get() const { return *context_; }

 private:
  std::unique_ptr<SSL_CTX, OpensslDeleter> context_;
};

// True when the processor has instructions for AES.
[[nodiscard]] bool processor_has_aes();

}  // namespace mallard::transport
