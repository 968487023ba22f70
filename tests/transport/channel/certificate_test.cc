#include "transport/channel/certificate.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace mallard::transport {
namespace {

TEST(Certificate, carries_the_key_and_is_signed_with_it) {
  const crypto::KeyPair pair = crypto::KeyPair::generate();
  const PrivateKeyPointer key = openssl_key(pair);
  const CertificatePointer certificate = self_signed_certificate(*key);
  EXPECT_EQ(certified_key(*certificate), pair.public_key());
  EXPECT_EQ(X509_verify(certificate.get(), key.get()), 1);
  EXPECT_LT(i2d_X509(certificate.get(), nullptr), 400) << "small enough to be sent at each handshake";
}

TEST(Certificate, holds_no_key_of_ours_when_it_holds_another_kind) {
  const PrivateKeyPointer key(EVP_EC_gen("P-256"));
  const CertificatePointer certificate(X509_new());
  ASSERT_EQ(X509_set_pubkey(certificate.get(), key.get()), 1);
  EXPECT_FALSE(certified_key(*certificate).has_value());
  EXPECT_FALSE(certified_key(*CertificatePointer(X509_new())).has_value());
}

}  // namespace
}  // namespace mallard::transport
