// The certificate that carries a replica's gateway key into TLS.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>

#include "config/contract/public_key.h"
#include "crypto/key_pair.h"

namespace mallard::transport {

struct OpensslDeleter {
  void operator()(X509* certificate) const;
  void operator()(EVP_PKEY* key) const;
  void operator()(SSL_CTX* context) const;
  void operator()(SSL* session) const;
};
using CertificatePointer = std::unique_ptr<X509, OpensslDeleter>;
using PrivateKeyPointer = std::unique_ptr<EVP_PKEY, OpensslDeleter>;

// The key in OpenSSL's form. Throws std::runtime_error when OpenSSL fails.
[[nodiscard]] PrivateKeyPointer openssl_key(const crypto::KeyPair& key);

// A certificate that `key` signs for itself. Its names and dates say nothing and nobody reads them: peers
// compare the key. Throws as openssl_key() does.
[[nodiscard]] CertificatePointer self_signed_certificate(EVP_PKEY& key);

// The Ed25519 key in a certificate; none when it holds another kind of key.
[[nodiscard]] std::optional<PublicKey> certified_key(const X509& certificate);

}  // namespace mallard::transport
