// One TLS session over one non-blocking socket. It never waits: each call says what to wait for.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/base/bytes.h"
#include "config/contract/public_key.h"
#include "transport/channel/certificate.h"
#include "transport/channel/tls_context.h"

namespace mallard::transport {

class TlsStream {
 public:
  enum class Role : std::uint8_t { dialer, listener };
  enum class Progress : std::uint8_t {
    done,
    wants_read,   // call again when the socket is readable
    wants_write,  // call again when it is writable
    closed,       // the peer ended the session in order
    broken,       // the connection is gone
    refused,      // TLS failed: failure() says why
  };
  struct Transfer {
    Progress progress = Progress::done;
    std::size_t bytes = 0;  // 0 unless done
  };

  // What is sent is gathered here before it goes to the socket: four records of 16 KiB with their frames.
  static constexpr std::size_t outgoing_bytes = 66U << 10;
  static constexpr std::size_t outgoing_bytes_in_handshake = 4U << 10;
  // OpenSSL reads up to this much at once.
  static constexpr std::size_t read_ahead_bytes = 64U << 10;

  // `socket` is a connected, non-blocking TCP socket that outlives the stream and is closed by the caller.
  // The peer must prove one of `allowed`, which outlive the handshake. Throws std::bad_alloc.
  TlsStream(const TlsContext& context, int socket, Role role, std::span<const PublicKey> allowed);
  ~TlsStream();
  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;

  // Call until done. `bytes_max`: more bytes than this from the peer, before it is done, are a refusal.
  [[nodiscard]] Progress handshake(std::size_t bytes_max);
  // Which of `allowed` the peer showed, and after the handshake has proved; SIZE_MAX: none yet.
  [[nodiscard]] std::size_t proved() const;
  // Keying material that only the two ends of this session can compute (RFC 8446, 7.5). None when OpenSSL
  // fails.
  [[nodiscard]] std::optional<std::array<std::uint8_t, 32>> exported_key(ByteView context) const;
  // The session has proved itself: from now on its buffers are kept between records, so that nothing is
  // allocated per record. Before, idle sessions give them back.
  void keep_buffers();

  // At most one record's worth.
  [[nodiscard]] Transfer read(ByteSpan into);
  // May take less than offered. After wants_write the next call must offer the same bytes again.
  [[nodiscard]] Transfer write(ByteView bytes);
  // Hands everything written to the kernel.
  [[nodiscard]] Progress flush();
  // New keys for what is written from here on (RFC 8446, 4.6.3), unless a write is unfinished.
  void update_key();
  // Tells the peer that the session ends, as far as the socket takes it at once.
  void say_goodbye();

  // After a refusal: whether the peer showed a certificate, but of none of the allowed keys.
  [[nodiscard]] bool refused_unknown_key() const;
  // After a refusal: whether it was the peer that did not accept our certificate.
  [[nodiscard]] bool peer_refused_certificate() const;
  // OpenSSL's reason for the last refusal.
  [[nodiscard]] const std::string& failure() const;
  // Bytes from and to the kernel since the start.
  [[nodiscard]] std::uint64_t wire_bytes_in() const;
  [[nodiscard]] std::uint64_t wire_bytes_out() const;
  // Bytes written but not yet taken by the kernel.
  [[nodiscard]] std::size_t unsent_bytes() const;
  // Key updates received since the start, and tickets, which nobody should send. More than 32 in a row break
  // the stream.
  [[nodiscard]] std::uint64_t key_updates() const;

  // State shared with OpenSSL's callbacks; at a place of its own, so that streams can move.
  struct Wire;

 private:
  [[nodiscard]] Progress judge(int returned);

  std::unique_ptr<Wire> wire_;
  std::unique_ptr<SSL, OpensslDeleter> ssl_;
};

// For TlsContext: OpenSSL's question whether a peer's certificate is good, answered from the stream's allowed
// keys.
[[nodiscard]] int compare_with_allowed_keys(X509_STORE_CTX* store, void* argument);

}  // namespace mallard::transport
