// Each setting of TLS against a foreign peer that wants something else.
#include "transport/channel/tls_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>

#include "tests/transport/channel/tls_pair.h"

namespace mallard::transport {
namespace {

using Progress = TlsStream::Progress;

class TlsContextTest : public testing::Test {
 protected:
  TlsContextTest() : foreign_(SSL_CTX_new(TLS_client_method())) {
    key_ = openssl_key(pair_.dialer_key);
    certificate_ = self_signed_certificate(*key_);
    SSL_CTX_use_certificate(foreign_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(foreign_.get(), key_.get());
    offer("\x09mallard/1");
  }

  // The list of application protocols, each with its length in front.
  void offer(const std::string& protocols) {
    SSL_CTX_set_alpn_protos(foreign_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
  }
  // A client with the settings of foreign_ meets our listener; yields how the listener sees it end.
  Progress meet() {
    client_.reset(SSL_new(foreign_.get()));
    SSL_set_fd(client_.get(), pair_.sockets[0]);
    SSL_set_connect_state(client_.get());
    TlsStream& listener = pair_.listener.emplace(pair_.listener_context, pair_.sockets[1],
                                                 TlsStream::Role::listener, pair_.listener_allows);
    Progress progress = Progress::wants_read;
    for (int i = 0; i < 20 && progress == Progress::wants_read; ++i) {
      ERR_clear_error();
      SSL_do_handshake(client_.get());
      progress = listener.handshake(16U << 10);
    }
    ERR_clear_error();
    return progress;
  }
  [[nodiscard]] std::string failure() const { return pair_.listener->failure(); }

  TlsPair pair_;
  std::unique_ptr<SSL_CTX, OpensslDeleter> foreign_;
  PrivateKeyPointer key_;
  CertificatePointer certificate_;
  std::unique_ptr<SSL, OpensslDeleter> client_;
};

TEST_F(TlsContextTest, lets_in_who_has_the_key) {
  EXPECT_EQ(meet(), Progress::done);
  EXPECT_STREQ(SSL_get_version(client_.get()), "TLSv1.3");
  const std::string suite = SSL_get_cipher_name(client_.get());
  EXPECT_EQ(suite, processor_has_aes() ? "TLS_AES_256_GCM_SHA384" : "TLS_CHACHA20_POLY1305_SHA256");
}

TEST_F(TlsContextTest, speaks_no_older_version) {
  SSL_CTX_set_max_proto_version(foreign_.get(), TLS1_2_VERSION);
  EXPECT_EQ(meet(), Progress::refused);
  EXPECT_THAT(failure(), testing::HasSubstr("protocol"));
}

class TlsSuite : public TlsContextTest, public testing::WithParamInterface<const char*> {};

TEST_P(TlsSuite, is_agreed_on) {
  ASSERT_EQ(SSL_CTX_set_ciphersuites(foreign_.get(), GetParam()), 1);
  EXPECT_EQ(meet(), Progress::done);
  EXPECT_STREQ(SSL_get_cipher_name(client_.get()), GetParam());
}

INSTANTIATE_TEST_SUITE_P(both, TlsSuite,
                         testing::Values("TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"));

TEST_F(TlsContextTest, refuses_other_suites) {
  ASSERT_EQ(SSL_CTX_set_ciphersuites(foreign_.get(), "TLS_AES_128_GCM_SHA256"), 1);
  EXPECT_EQ(meet(), Progress::refused);
}

TEST_F(TlsContextTest, refuses_other_groups) {
  ASSERT_EQ(SSL_CTX_set1_groups_list(foreign_.get(), "P-256:P-384"), 1);
  EXPECT_EQ(meet(), Progress::refused);
}

TEST_F(TlsContextTest, refuses_who_does_not_take_ed25519) {
  ASSERT_EQ(SSL_CTX_set1_sigalgs_list(foreign_.get(), "ECDSA+SHA256:RSA-PSS+SHA256"), 1);
  EXPECT_EQ(meet(), Progress::refused);
}

TEST_F(TlsContextTest, refuses_another_application_protocol) {
  offer("\x02h2");
  EXPECT_EQ(meet(), Progress::refused);
}

TEST_F(TlsContextTest, refuses_no_application_protocol) {
  SSL_CTX_set_alpn_protos(foreign_.get(), nullptr, 0);
  EXPECT_EQ(meet(), Progress::refused);
  EXPECT_THAT(failure(), testing::HasSubstr("application protocol"));
}

TEST_F(TlsContextTest, refuses_who_shows_no_certificate) {
  foreign_.reset(SSL_CTX_new(TLS_client_method()));
  offer("\x09mallard/1");
  EXPECT_EQ(meet(), Progress::refused);
  EXPECT_THAT(failure(), testing::HasSubstr("did not return a certificate"));
}

TEST_F(TlsContextTest, refuses_a_chain_even_around_a_good_key) {
  const auto other = crypto::KeyPair::generate();
  const CertificatePointer second = self_signed_certificate(*openssl_key(other));
  SSL_CTX_add1_chain_cert(foreign_.get(), second.get());
  EXPECT_EQ(meet(), Progress::refused);
}

TEST_F(TlsContextTest, gives_no_tickets_and_resumes_nothing) {
  ASSERT_EQ(meet(), Progress::done);
  char byte = 0;
  EXPECT_LE(SSL_read(client_.get(), &byte, 1), 0) << "takes in whatever came after the handshake";
  ERR_clear_error();
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get_session(client_.get())), 0);
  EXPECT_EQ(SSL_session_reused(client_.get()), 0);
}

}  // namespace
}  // namespace mallard::transport
