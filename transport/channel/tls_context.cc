#include "transport/channel/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "transport/channel/tls_stream.h"

namespace mallard::transport {
namespace {

constexpr std::array<unsigned char, 10> alpn_list{9, 'm', 'a', 'l', 'l', 'a', 'r', 'd', '/', '1'};
constexpr long certificate_bytes_max = 4096;  // ours has about 300

void require(bool good, const char* setting) {
  if (!good) {
    ERR_clear_error();
    throw std::runtime_error(std::string("OpenSSL refuses a setting of TLS: ") + setting);
  }
}

// NOLINTNEXTLINE(readability-function-size): the parameters are OpenSSL's.
int select_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                unsigned int in_length, void* /*argument*/) {
  // OpenSSL hands out what it has checked to be a list of non-empty names.
  std::size_t at = 0;
  while (at < in_length) {
    const std::size_t length = in[at];
    const std::size_t end = at + 1 + length;
    if (end > in_length) {
      break;
    }
    if (length == alpn_list[0] && std::equal(alpn_list.begin() + 1, alpn_list.end(), in + at + 1)) {
      *out = in + at + 1;
      *out_length = alpn_list[0];
      return SSL_TLSEXT_ERR_OK;
    }
    at = end;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

bool processor_has_aes() {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports("aes") != 0;
#elif defined(__aarch64__)
  return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
  return false;
#endif
}

TlsContext::TlsContext(const crypto::KeyPair& key) : context_(SSL_CTX_new(TLS_method())) {
  require(context_ != nullptr, "a context");
  SSL_CTX* const context = context_.get();
  require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1, "lowest version");
  require(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1, "highest version");
  const char* const suites = processor_has_aes() ? "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
                                                 : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
  require(SSL_CTX_set_ciphersuites(context, suites) == 1, "cipher suites");
  require(SSL_CTX_set1_groups_list(context, "X25519") == 1, "groups");
  require(SSL_CTX_set1_sigalgs_list(context, "ed25519") == 1, "signature algorithms");
  require(SSL_CTX_set1_client_sigalgs_list(context, "ed25519") == 1, "client signature algorithms");
  // A listener without AES instructions gives in to a dialer that has none either.
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  require(SSL_CTX_set_num_tickets(context, 0) == 1, "no tickets");
  require(SSL_CTX_set_max_early_data(context, 0) == 1, "no early data");
  SSL_CTX_set_max_cert_list(context, certificate_bytes_max);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(context, compare_with_allowed_keys, nullptr);
  SSL_CTX_set_alpn_select_cb(context, select_alpn, nullptr);
  require(SSL_CTX_set_alpn_protos(context, alpn_list.data(), alpn_list.size()) == 0, "ALPN");
  const PrivateKeyPointer private_key = openssl_key(key);
  const CertificatePointer certificate = self_signed_certificate(*private_key);
  require(SSL_CTX_use_certificate(context, certificate.get()) == 1, "our certificate");
  require(SSL_CTX_use_PrivateKey(context, private_key.get()) == 1, "our key");
}

}  // namespace mallard::transport
