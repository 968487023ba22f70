#include "transport/channel/certificate.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <stdexcept>

namespace mallard::transport {
namespace {

void require(bool good, const char* what) {
  if (!good) {
    ERR_clear_error();
    throw std::runtime_error(what);
  }
}

}  // namespace

void OpensslDeleter::operator()(X509* certificate) const { X509_free(certificate); }
void OpensslDeleter::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
void OpensslDeleter::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
void OpensslDeleter::operator()(SSL* session) const { SSL_free(session); }

PrivateKeyPointer openssl_key(const crypto::KeyPair& key) {
  const auto* seed = static_cast<const unsigned char*>(static_cast<const void*>(key.seed().data()));
  PrivateKeyPointer pointer(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed, crypto::seed_bytes));
  require(pointer != nullptr, "OpenSSL does not take the Ed25519 key");
  return pointer;
}

CertificatePointer self_signed_certificate(EVP_PKEY& key) {
  CertificatePointer certificate(X509_new());
  require(certificate != nullptr, "OpenSSL has no memory for a certificate");
  X509* const raw = certificate.get();
  constexpr long version_3 = 2;
  const auto* common_name = static_cast<const unsigned char*>(static_cast<const void*>("mallard"));
  X509_NAME* const name = X509_get_subject_name(raw);
  require(X509_set_version(raw, version_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(raw), 1) == 1 &&
              ASN1_TIME_set_string(X509_getm_notBefore(raw), "19700101000000Z") == 1 &&
              ASN1_TIME_set_string(X509_getm_notAfter(raw), "99991231235959Z") == 1 &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) == 1 &&
              X509_set_issuer_name(raw, name) == 1 && X509_set_pubkey(raw, &key) == 1,
          "OpenSSL does not make a certificate");
  require(X509_sign(raw, &key, nullptr) > 0, "OpenSSL does not sign with the Ed25519 key");
  return certificate;
}

std::optional<PublicKey> certified_key(const X509& certificate) {
  EVP_PKEY* const key = X509_get0_pubkey(&certificate);
  PublicKey raw;
  std::size_t length = raw.bytes.size();
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key, raw.bytes.data(), &length) != 1 || length != raw.bytes.size()) {
    return std::nullopt;
  }
  return raw;
}

}  // namespace mallard::transport
