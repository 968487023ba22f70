#include "transport/channel/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string_view>

#include "config/base/invariant.h"

namespace mallard::transport {

struct TlsStream::Wire {
  int socket = -1;
  std::span<const PublicKey> allowed;
  std::size_t proved = SIZE_MAX;
  bool ended = false;   // the peer will send no more
  bool failed = false;  // the kernel gave the connection up
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t key_updates = 0;
  std::uint64_t key_updates_before_read = 0;
  bool unknown_key = false;
  bool peer_refused_certificate = false;
  std::string failure;
  std::vector<std::byte> outgoing = std::vector<std::byte>(outgoing_bytes_in_handshake);
  std::size_t outgoing_begin = 0;
  std::size_t outgoing_end = 0;

  // Hands what is gathered to the kernel; false when some of it is left.
  bool flush() {
    while (outgoing_begin < outgoing_end) {
      const ssize_t sent = ::send(socket, outgoing.data() + outgoing_begin, outgoing_end - outgoing_begin,
                                  MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno == EINTR) {
        continue;
      }
      if (sent < 0) {
        failed = failed || (errno != EAGAIN && errno != EWOULDBLOCK);
        return false;
      }
      outgoing_begin += static_cast<std::size_t>(sent);
      bytes_out += static_cast<std::uint64_t>(sent);
    }
    outgoing_begin = outgoing_end = 0;
    return true;
  }
};

namespace {

using Wire = TlsStream::Wire;

// In a row, without a byte of data between them: OpenSSL itself would take any number.
constexpr std::uint64_t key_updates_in_a_row_max = 32;
constexpr std::string_view binding_label = "EXPORTER-mallard-hello";

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int bio_write(BIO* bio, const char* bytes, int length) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  if (wire.outgoing_end == wire.outgoing.size()) {
    wire.flush();
    const std::size_t left = wire.outgoing_end - wire.outgoing_begin;
    std::memmove(wire.outgoing.data(), wire.outgoing.data() + wire.outgoing_begin, left);
    wire.outgoing_begin = 0;
    wire.outgoing_end = left;
  }
  const std::size_t count =
      std::min(static_cast<std::size_t>(length), wire.outgoing.size() - wire.outgoing_end);
  if (count == 0) {
    if (!wire.failed) {
      BIO_set_retry_write(bio);
    }
    return -1;
  }
  std::memcpy(wire.outgoing.data() + wire.outgoing_end, bytes, count);
  wire.outgoing_end += count;
  return static_cast<int>(count);
}

int bio_read(BIO* bio, char* into, int length) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  if (wire.key_updates - wire.key_updates_before_read > key_updates_in_a_row_max) {
    wire.failed = true;
    return -1;
  }
  for (;;) {
    const ssize_t count = ::recv(wire.socket, into, static_cast<std::size_t>(length), MSG_DONTWAIT);
    if (count > 0) {
      wire.bytes_in += static_cast<std::uint64_t>(count);
      return static_cast<int>(count);
    }
    if (count == 0) {
      wire.ended = true;
      return 0;
    }
    if (errno == EINTR) {
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      BIO_set_retry_read(bio);
    } else {
      wire.failed = true;
    }
    return -1;
  }
}

long bio_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;  // TlsStream::flush() does it, once for many records
    case BIO_CTRL_EOF:
      return wire_of(bio).ended ? 1 : 0;
    default:
      return 0;
  }
}

const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mallard wire");
    MALLARD_INVARIANT(made != nullptr);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

// NOLINTNEXTLINE(readability-function-size): the signature is OpenSSL's
void watch_messages(int sent, int /*version*/, int content_type, const void* bytes, std::size_t length,
                    SSL* /*ssl*/, void* argument) {
  if (sent != 0 || content_type != SSL3_RT_HANDSHAKE || length == 0) {
    return;
  }
  const unsigned char type = *static_cast<const unsigned char*>(bytes);
  if (type == SSL3_MT_KEY_UPDATE || type == SSL3_MT_NEWSESSION_TICKET) {
    ++static_cast<Wire*>(argument)->key_updates;
  }
}

// Which of the allowed keys the certificate holds. Every allowed key is compared, each in constant time.
std::size_t find_allowed(const Wire& wire, const X509& certificate) {
  const auto key = certified_key(certificate);
  std::size_t found = SIZE_MAX;
  if (key) {
    for (std::size_t i = 0; i < wire.allowed.size(); ++i) {
      if (CRYPTO_memcmp(wire.allowed[i].bytes.data(), key->bytes.data(), public_key_bytes) == 0) {
        found = i;
      }
    }
  }
  return found;
}

}  // namespace

int compare_with_allowed_keys(X509_STORE_CTX* store, void* /*argument*/) {
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Wire& wire = *static_cast<Wire*>(SSL_get_app_data(ssl));
  const X509* const certificate = X509_STORE_CTX_get0_cert(store);
  const bool alone = sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) == 1;
  wire.proved = certificate != nullptr && alone ? find_allowed(wire, *certificate) : SIZE_MAX;
  const bool good = wire.proved != SIZE_MAX;
  wire.unknown_key = !good;
  X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return good ? 1 : 0;
}

TlsStream::TlsStream(const TlsContext& context, int socket, Role role, std::span<const PublicKey> allowed)
    : wire_(std::make_unique<Wire>()), ssl_(SSL_new(&context.get())) {
  BIO* const bio = BIO_new(wire_method());
  if (ssl_ == nullptr || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    throw std::bad_alloc();
  }
  wire_->socket = socket;
  wire_->allowed = allowed;
  BIO_set_data(bio, wire_.get());
  BIO_set_init(bio, 1);
  SSL* const ssl = ssl_.get();
  SSL_set_bio(ssl, bio, bio);
  SSL_set_app_data(ssl, wire_.get());
  SSL_set_msg_callback(ssl, watch_messages);
  SSL_set_msg_callback_arg(ssl, wire_.get());
  if (role == Role::dialer) {
    SSL_set_connect_state(ssl);
  } else {
    SSL_set_accept_state(ssl);
  }
}

TlsStream::~TlsStream() = default;
TlsStream::TlsStream(TlsStream&&) noexcept = default;
TlsStream& TlsStream::operator=(TlsStream&&) noexcept = default;

// What a return value of 0 or less of an SSL call means.
TlsStream::Progress TlsStream::judge(int returned) {
  const int error = SSL_get_error(ssl_.get(), returned);
  switch (error) {
    case SSL_ERROR_WANT_READ:
      return Progress::wants_read;
    case SSL_ERROR_WANT_WRITE:
      return Progress::wants_write;
    case SSL_ERROR_ZERO_RETURN:
      return Progress::closed;
    default:
      break;
  }
  const unsigned long reason = ERR_peek_last_error();
  const bool cut_off = ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  const char* const text = ERR_reason_error_string(reason);
  wire_->failure = text != nullptr ? text : "the connection broke";
  wire_->peer_refused_certificate =
      ERR_GET_LIB(reason) == ERR_LIB_SSL && ERR_GET_REASON(reason) == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE;
  ERR_clear_error();
  return error == SSL_ERROR_SYSCALL || cut_off || wire_->failed ? Progress::broken : Progress::refused;
}

TlsStream::Progress TlsStream::handshake(std::size_t bytes_max) {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  const Progress progress = returned == 1 ? Progress::done : judge(returned);
  if (progress == Progress::wants_read && wire_->bytes_in > bytes_max) {
    wire_->failure = "the handshake is too long";
    return Progress::refused;
  }
  if (progress == Progress::done) {
    const unsigned char* protocol = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &length);
    if (length == 0 || wire_->proved == SIZE_MAX) {
      wire_->failure = length == 0 ? "no common application protocol" : "no certificate";
      return Progress::refused;
    }
  }
  // Also what is said on a failure: the alert tells the peer why.
  const bool all_sent = wire_->flush();
  if (wire_->failed && progress != Progress::refused) {
    return Progress::broken;
  }
  return progress == Progress::wants_read && !all_sent ? Progress::wants_write : progress;
}

std::size_t TlsStream::proved() const { return wire_->proved; }

std::optional<std::array<std::uint8_t, 32>> TlsStream::exported_key(ByteView context) const {
  std::array<std::uint8_t, 32> key{};
  const auto* bytes = static_cast<const unsigned char*>(static_cast<const void*>(context.data()));
  if (SSL_export_keying_material(ssl_.get(), key.data(), key.size(), binding_label.data(),
                                 binding_label.size(), bytes, context.size(), 1) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  return key;
}

void TlsStream::keep_buffers() {
  SSL_clear_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_set_default_read_buffer_len(ssl_.get(), read_ahead_bytes);
  SSL_set_read_ahead(ssl_.get(), 1);
  wire_->outgoing.resize(outgoing_bytes);
}

TlsStream::Transfer TlsStream::read(ByteSpan into) {
  ERR_clear_error();  // what others on this thread left there would be taken for ours
  wire_->key_updates_before_read = wire_->key_updates;
  std::size_t count = 0;
  const int returned = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
  return returned == 1 ? Transfer{Progress::done, count} : Transfer{judge(returned), 0};
}

TlsStream::Transfer TlsStream::write(ByteView bytes) {
  ERR_clear_error();
  std::size_t count = 0;
  const int returned = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  return returned == 1 ? Transfer{Progress::done, count} : Transfer{judge(returned), 0};
}

TlsStream::Progress TlsStream::flush() {
  if (wire_->flush()) {
    return Progress::done;
  }
  return wire_->failed ? Progress::broken : Progress::wants_write;
}

void TlsStream::update_key() {
  if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1) {
    ERR_clear_error();
  }
}

void TlsStream::say_goodbye() {
  if (SSL_shutdown(ssl_.get()) < 0) {
    ERR_clear_error();
  }
  wire_->flush();
}

bool TlsStream::refused_unknown_key() const { return wire_->unknown_key; }
bool TlsStream::peer_refused_certificate() const { return wire_->peer_refused_certificate; }
const std::string& TlsStream::failure() const { return wire_->failure; }
std::uint64_t TlsStream::wire_bytes_in() const { return wire_->bytes_in; }
std::uint64_t TlsStream::wire_bytes_out() const { return wire_->bytes_out; }
std::size_t TlsStream::unsent_bytes() const { return wire_->outgoing_end - wire_->outgoing_begin; }
std::uint64_t TlsStream::key_updates() const { return wire_->key_updates; }

}  // namespace mallard::transport
